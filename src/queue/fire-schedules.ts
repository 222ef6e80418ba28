// A schedule fires in two steps, so that at its time workers only have to take the job. A moment before, the job is enqueued for
// that time, and the schedule stays where it is. A moment after, the schedule moves on: only then is it known whether a worker was
// running or the time was missed. If `misfire` skips a missed time, its job is then removed, unless a worker took it.
import { type Found, isOfRow, type PassedOver } from '../delivery/passed-over.ts'
import type { Taken } from '../delivery/pump.ts'
import { formatVersionstamp, parseVersionstamp } from '../key/versionstamp.ts'
import { storeOfFace } from '../key-value/key-value.ts'
import { inSlices } from '../time/give-way.ts'
import { readDueTimes } from './due-times.ts'
import { addJob } from './enqueue.ts'
import { occurrenceId, occurrenceOf } from './occurrence.ts'
import { firstSchedule, storedRows } from './places.ts'
import type { QueueRows } from './queue-rows.ts'
import { newJob, type StoredJob, type StoredSchedule } from './rows.ts'
import { nowOf, type QueueDatabase, type QueueOperation } from './target.ts'

/** Whose schedules fire, and which of them cannot be read or enqueued here. */
export interface Firing {
  readonly rows: QueueRows
  readonly database: QueueDatabase
  readonly passedOver: PassedOver
}

interface Schedule extends Found {
  readonly id: string
  readonly value: StoredSchedule
}

/** What one commit does to a schedule. */
interface Step extends Schedule {
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
/** How many of them at once, if each has to be taken on its own. */
const mostAlone = 100
/** How many schedules fire in one commit, which takes some milliseconds that cannot be split. */
const mostInCommit = 200

/**
 * Enqueues the jobs of schedules: jobs with a group at their time, all others a moment before. Each is enqueued once, whichever
 * process does it. A schedule that cannot be read or enqueued here is passed over. Returns when to call it again.
 */
export async function fireSchedules(firing: Firing): Promise<Taken<never>> {
  const now = nowOf(firing.database)
  const isFound = await fireDue(firing, now)
  // If it has found some, another process may have been faster, or another schedule may be due.
  return { jobs: [], nextDue: isFound ? now : await nextStep(firing, now) }
}

/** Fires the schedules that are due; or, if one of them cannot be read, each on its own. Returns whether there were some. */
async function fireDue(firing: Firing, now: number): Promise<boolean> {
  const { rows, database, passedOver } = firing
  if (passedOver.size > 0) return fireEach(firing, now)
  let steps: Step[]
  try {
    const due = await rows.in(database).schedules.findMany({ ...dueAt(now), limit: mostAtOnce })
    steps = await inSlices(due, (entry) =>
      stepOf({ ...entry, version: parseVersionstamp(entry.versionstamp) }, now),
    )
  } catch (error) {
    if (!isOfRow(error)) throw error
    return fireEach(firing, now)
  }
  await Promise.all(commitsOf(steps).map((steps) => take(firing, steps)))
  return steps.length > 0
}

async function fireEach(firing: Firing, now: number): Promise<boolean> {
  const { rows, database, passedOver } = firing
  const store = storeOfFace(database)!
  const found = await storedRows(rows, 'schedules', database, dueAt(now), mostAlone + passedOver.size)
  const wanted = found.filter((row) => !passedOver.isPaused(row)).slice(0, mostAlone)
  await passedOver.takeEach(wanted, async (row) => {
    const { key, version } = row
    const value = (await store.decode(row, key)) as StoredSchedule
    return isCommitted(firing, [stepOf({ id: rows.idOf(key), key, version, value }, now)])
  })
  return wanted.length > 0
}

/** The query of the schedules with something to do, in the order of their times. */
function dueAt(now: number) {
  return {
    where: {
      next: { lte: now + headStart },
      OR: [
        { ahead: { isNull: true }, group: { isNull: true } },
        { ahead: { isNull: true }, next: { lte: now } },
        { next: { lte: now - settling } },
      ],
    },
    orderBy: { next: 'asc' },
  } as const
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

function stepOf(schedule: Schedule, now: number): Step {
  const { value } = schedule
  const first = value.next!
  const isEarly = first > now
  const { times, next } = readDueTimes(value, isEarly ? first : now)
  if (isEarly && times.length > 0) {
    return { ...schedule, jobs: [{ time: first, due: first }], missed: null, next: first, ahead: first }
  }
  const enqueued = isAhead(value) ? first : null
  const jobs = times.filter((time) => time !== enqueued).map((time) => ({ time, due: now }))
  const missed = enqueued === null || times.includes(enqueued) ? null : enqueued
  return { ...schedule, jobs, missed, next, ahead: null }
}

/** When to look at the schedules again, if there is nothing to do now. */
async function nextStep({ rows, database, passedOver }: Firing, now: number): Promise<number | null> {
  const near = { gt: now - settling, lte: now + headStart }
  const first = (where: object) =>
    firstSchedule(rows, database, passedOver, { where, orderBy: { next: 'asc' } })
  const [later, enqueued, grouped] = await Promise.all([
    first({ next: { gt: now + headStart } }),
    first({ next: near, ahead: { isNotNull: true } }),
    first({ next: near, ahead: { isNull: true } }),
  ])
  const again = passedOver.next(now)
  const times = [
    ...(later === null ? [] : [later.next! - (later.group === null ? headStart : 0)]),
    ...(enqueued === null ? [] : [enqueued.next! + settling]),
    ...(grouped === null ? [] : [grouped.next!]),
    ...(again === null ? [] : [again]),
  ]
  return times.length === 0 ? null : Math.min(...times)
}

/** Takes steps in one commit. If another process was faster with one of them, or if one fails, takes each in its own commit. */
async function take(firing: Firing, steps: readonly Step[]): Promise<void> {
  if (steps.length > 1) {
    try {
      if (await isCommitted(firing, steps)) return
    } catch {
      // Those to blame fail again on their own.
    }
  }
  await firing.passedOver.takeEach(steps, (step) => isCommitted(firing, [step]))
}

/** Commits steps. False if another process was faster with one of them: then none of them is taken. */
async function isCommitted({ rows, database }: Firing, steps: readonly Step[]): Promise<boolean> {
  const operation = database.atomic()
  const enqueuedAt = nowOf(database)
  for (const step of steps) await addTo(operation, rows, database, step, enqueuedAt)
  return (await operation.commit()).ok
}

/** Adds a step to an operation, which commits nothing if another process was faster; a step that has to wait is left out. */
async function addTo(
  operation: QueueOperation,
  rows: QueueRows,
  database: QueueDatabase,
  { id: schedule, key, version, value, jobs, missed, next, ahead }: Step,
  enqueuedAt: number,
): Promise<void> {
  if (missed !== null) {
    const job = await rows.in(database).jobs.get(occurrenceId({ schedule, time: missed }))
    // Its worker is about to ask `isLeftOut`, which a schedule that has moved on could not tell.
    if (job.value !== null && wasJustTaken(job.value, enqueuedAt - settling, rows.terms.lease)) return
    if (isUntouched(job.value)) operation.check(job).delete(job.key)
  }
  operation.check({ key, versionstamp: formatVersionstamp(version) }).set(key, { ...value, next, ahead })
  const { payload, priority, group } = value
  for (const { time, due } of jobs) {
    const id = occurrenceId({ schedule, time })
    addJob(rows, operation, id, newJob({ payload, due, priority, group, enqueuedAt }))
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
