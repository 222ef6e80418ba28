// A schedule fires in two steps, so that at its time workers only have to take the job. A moment before, the job is enqueued for
// that time, and the schedule stays where it is. A moment after, the schedule moves on: only then is it known whether a worker was
// running or the time was missed. If `misfire` skips a missed time, its job is then removed, unless a worker took it.
import type { Taken } from '../delivery/pump.ts'
import { inSlices } from '../time/give-way.ts'
import { readDueTimes } from './due-times.ts'
import { occurrenceId, occurrenceOf } from './occurrence.ts'
import type { QueueRows } from './queue-rows.ts'
import type { StoredJob, StoredSchedule } from './rows.ts'
import { nowOf, type QueueDatabase, type QueueOperation } from './target.ts'

type Entry = { readonly id: string; readonly value: StoredSchedule; readonly versionstamp: string }

/** What one commit does to a schedule. */
interface Step {
  readonly entry: Entry
  /** The occurrences whose jobs to enqueue, and when each is due. */
  readonly jobs: readonly { readonly time: number; readonly due: number }[]
  /** The occurrence that was missed and is skipped, although its job was enqueued ahead. */
  readonly missed: number | null
  readonly next: number | null
  readonly ahead: number | null
}

/** How many milliseconds before its time the job of an occurrence is enqueued. */
const headStart = 1_000
/** How many milliseconds after its time the schedule waits, so that workers have nothing to do but the job. */
const settling = 200
/** How many schedules to read at once. */
const mostAtOnce = 1_000
/** How many schedules fire in one commit, which takes some milliseconds that cannot be split. */
const mostInCommit = 200

/**
 * Enqueues the jobs of schedules: jobs with a group at their time, all others a moment before. Each is enqueued once, whichever
 * process does it. Returns when to call it again.
 */
export async function fireSchedules(rows: QueueRows, database: QueueDatabase): Promise<Taken<never>> {
  const { schedules } = rows.in(database)
  const now = nowOf(database)
  const due = await schedules.findMany({
    where: {
      next: { lte: now + headStart },
      OR: [
        { ahead: { isNull: true }, group: { isNull: true } },
        { ahead: { isNull: true }, next: { lte: now } },
        { next: { lte: now - settling } },
      ],
    },
    orderBy: { next: 'asc' },
    limit: mostAtOnce,
  })
  if (due.length === 0) return { jobs: [], nextDue: await nextStep(rows, database, now) }
  const steps = await inSlices(due, (entry) => stepOf(entry, now))
  await Promise.all(commitsOf(steps).map((steps) => take(rows, database, steps)))
  // Another process may have been faster, or another schedule may be due.
  return { jobs: [], nextDue: now }
}

/** Whether a taken job belongs to a missed occurrence that its schedule skips: no worker was running at its time. */
export async function isLeftOut(
  rows: QueueRows,
  database: QueueDatabase,
  job: string,
  now: number,
): Promise<boolean> {
  const occurrence = occurrenceOf(job)
  if (occurrence === null || now - occurrence.time <= settling) return false
  const { value } = await rows.in(database).schedules.get(occurrence.schedule)
  const { time } = occurrence
  return (
    value !== null && isAhead(value) && value.next === time && !readDueTimes(value, now).times.includes(time)
  )
}

/** Whether the job of its next occurrence is already enqueued. */
export function isAhead({ ahead, next }: StoredSchedule): boolean {
  return next !== null && ahead === next
}

function stepOf(entry: Entry, now: number): Step {
  const { value } = entry
  const first = value.next!
  const isEarly = first > now
  const { times, next } = readDueTimes(value, isEarly ? first : now)
  if (isEarly && times.length > 0) {
    return { entry, jobs: [{ time: first, due: first }], missed: null, next: first, ahead: first }
  }
  const enqueued = isAhead(value) ? first : null
  const jobs = times.filter((time) => time !== enqueued).map((time) => ({ time, due: now }))
  const missed = enqueued === null || times.includes(enqueued) ? null : enqueued
  return { entry, jobs, missed, next, ahead: null }
}

/** When to look at the schedules again, if there is nothing to do now. */
async function nextStep(rows: QueueRows, database: QueueDatabase, now: number): Promise<number | null> {
  const { schedules } = rows.in(database)
  const near = { gt: now - settling, lte: now + headStart }
  const orderBy = { next: 'asc' } as const
  const [later, enqueued, grouped] = await Promise.all([
    schedules.findFirst({ where: { next: { gt: now + headStart } }, orderBy }),
    schedules.findFirst({ where: { next: near, ahead: { isNotNull: true } }, orderBy }),
    schedules.findFirst({ where: { next: near, ahead: { isNull: true } }, orderBy }),
  ])
  const times = [
    ...(later === null ? [] : [later.value.next! - (later.value.group === null ? headStart : 0)]),
    ...(enqueued === null ? [] : [enqueued.value.next! + settling]),
    ...(grouped === null ? [] : [grouped.value.next!]),
  ]
  return times.length === 0 ? null : Math.min(...times)
}

/** Takes steps in one commit. If another process was faster with one of them, or if one fails, takes each in its own commit. */
async function take(rows: QueueRows, database: QueueDatabase, steps: readonly Step[]): Promise<void> {
  try {
    const operation = database.atomic()
    const enqueuedAt = nowOf(database)
    for (const step of steps) await addTo(operation, rows, database, step, enqueuedAt)
    if ((await operation.commit()).ok || steps.length === 1) return
  } catch (error) {
    if (steps.length === 1) throw error
  }
  await Promise.all(steps.map((step) => take(rows, database, [step])))
}

/** Adds a step to an operation, which commits nothing if another process was faster; a step that has to wait is left out. */
async function addTo(
  operation: QueueOperation,
  rows: QueueRows,
  database: QueueDatabase,
  { entry, jobs, missed, next, ahead }: Step,
  enqueuedAt: number,
): Promise<void> {
  const { id: schedule, value, versionstamp } = entry
  const key = rows.scheduleKey(schedule)
  if (missed !== null) {
    const job = await rows.in(database).jobs.get(occurrenceId({ schedule, time: missed }))
    // Its worker is about to ask `isLeftOut`, which a schedule that has moved on could not tell.
    if (job.value !== null && wasJustTaken(job.value, enqueuedAt - settling, rows.terms.lease)) return
    if (isUntouched(job.value)) operation.check(job).delete(job.key)
  }
  operation.check({ key, versionstamp }).set(key, { ...value, next, ahead })
  const { payload, priority, group } = value
  for (const { time, due } of jobs) {
    const id = occurrenceId({ schedule, time })
    const stored: StoredJob = {
      payload,
      due,
      priority,
      group,
      unique: null,
      attempts: 0,
      worker: null,
      error: null,
      enqueuedAt,
    }
    operation.set(rows.jobKey(id), stored)
    if (group !== null) operation.set(rows.lineKey(group, id), { job: id })
  }
}

/** Whether a worker has had its first attempt since that time, and for no longer. */
function wasJustTaken({ attempts, worker, due }: StoredJob, since: number, lease: number): boolean {
  return attempts === 1 && worker !== null && due !== null && due - lease >= since
}

/** Whether no worker has ever had it. */
export function isUntouched(job: StoredJob | null): job is StoredJob {
  return job !== null && job.attempts === 0 && job.worker === null
}

/** Groups the steps that share a commit: a step with many occurrences to make up for is alone. */
function commitsOf(steps: readonly Step[]): Step[][] {
  const [few, many] = [true, false].map((isFew) => steps.filter(({ jobs }) => jobs.length <= 1 === isFew))
  const commits = many!.map((step) => [step])
  for (let i = 0; i < few!.length; i += mostInCommit) commits.push(few!.slice(i, i + mostInCommit))
  return commits
}
