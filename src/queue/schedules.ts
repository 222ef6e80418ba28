import { checkOptionNames } from '../arguments/option-names.ts'
import type { Taken } from '../delivery/pump.ts'
import { inSlices } from '../time/give-way.ts'
import { type Occurrences, occurrencesOf } from './cron.ts'
import { placeOf } from './enqueue.ts'
import type { QueueRows } from './queue-rows.ts'
import type { StoredJob, StoredSchedule } from './rows.ts'
import { isUnit, nowOf, openStore, type QueueDatabase, type QueueUnit } from './target.ts'
import { warn } from './warn.ts'

/** What is enqueued again and again, and when. */
export interface Schedule<Input> {
  /**
   * Five fields, minute, hour, day of the month, month and day of the week, as `'0 9 * * 1-5'`; six begin with the second. Also `@hourly`, `@daily`
   * and the like, `L`, `W` and `#`, as the documentation of croner tells.
   */
  readonly cron: string
  /** The time zone in which it is read, as `'Europe/Paris'`. Default `'UTC'`. */
  readonly timeZone?: string | undefined
  /** What is enqueued each time. */
  readonly payload: Input
  /**
   * What becomes of occurrences at whose time no worker was running: `'once'` enqueues one job for all of them, `'skip'` none for those that are
   * more than a minute late, `'all'` one for each. Default `'once'`.
   */
  readonly misfire?: 'once' | 'skip' | 'all' | undefined
  /** As in the options of `enqueue`. */
  readonly priority?: number | undefined
  /** As in the options of `enqueue`. */
  readonly group?: string | undefined
}

type Entry = { readonly id: string; readonly value: StoredSchedule; readonly versionstamp: string }

/** A schedule that is due: at which occurrences, and when it is again. */
interface Firing extends ReturnType<typeof dueTimes> {
  readonly entry: Entry
  readonly now: number
}

const scheduleNames = ['cron', 'timeZone', 'payload', 'misfire', 'priority', 'group']
const misfires = ['once', 'skip', 'all']
/** Milliseconds after which an occurrence is late. */
const late = 60_000
/** Milliseconds before one that cannot be read here is looked at again. */
const tryAgain = 3_600_000
/** Schedules that fire in one go, and occurrences of one that are made up for. */
const mostAtOnce = 1_000
/** Schedules that fire in one commit, which takes some milliseconds that cannot be split. */
const mostInCommit = 200

/**
 * Has a schedule enqueue jobs from now on, in the place of the one of the same id. One that has the same times goes on as it was, so every process
 * may say it when it starts.
 */
export async function setSchedule(
  rows: QueueRows,
  target: QueueDatabase | QueueUnit,
  id: string,
  schedule: Schedule<unknown>,
): Promise<void> {
  if (!isUnit(target)) openStore(target, 'schedule')
  rows.in(target)
  if (typeof id !== 'string' || id === '')
    throw new TypeError('The id of a schedule is a text that is not empty')
  checkOptionNames(schedule, scheduleNames, 'schedule')
  const { cron, timeZone = 'UTC', misfire = 'once' } = schedule
  if (!misfires.includes(misfire))
    throw new TypeError(`misfire is 'once', 'skip' or 'all' (got ${String(misfire)})`)
  const occurrences = occurrencesOf(cron, timeZone)
  const place = placeOf(schedule)
  const payload = await rows.output(schedule.payload)
  const set = async (unit: QueueUnit) => {
    const { schedules } = rows.in(unit)
    const { value: before } = await schedules.get(id)
    const isSame = before?.cron === cron && before.timeZone === timeZone
    const next = isSame ? before.next : occurrences.after(nowOf(target))
    await schedules.set(id, { cron, timeZone, misfire, payload, ...place, next })
  }
  if (isUnit(target)) await set(target)
  else await target.unitOfWork(set)
}

/** Enqueues what is due of the schedules: once, whichever process does it. Gives when the next one is. */
export async function fireSchedules(rows: QueueRows, database: QueueDatabase): Promise<Taken<never>> {
  const { schedules } = rows.in(database)
  const now = nowOf(database)
  const due = await schedules.findMany({
    where: { next: { lte: now } },
    orderBy: { next: 'asc' },
    limit: mostAtOnce,
  })
  const firings = due.map((entry) => ({ entry, now, ...readTimes(entry.value, now) }))
  await Promise.all(commitsOf(firings).map((firings) => fire(rows, database, firings)))
  // Another may have been quicker, or one be due again.
  if (due.length > 0) return { jobs: [], nextDue: now }
  const first = await schedules.findFirst({ where: { next: { gt: now } }, orderBy: { next: 'asc' } })
  const nextDue = first?.value.next ?? null
  if (nextDue !== null) await prepare(rows, database, nextDue)
  return { jobs: [], nextDue }
}

/** Has ready what comes after the next occurrences, so that these take no longer for it. */
async function prepare(rows: QueueRows, database: QueueDatabase, next: number): Promise<void> {
  const { schedules } = rows.in(database)
  const coming = await schedules.findMany({ where: { next }, limit: mostAtOnce })
  await inSlices(coming, ({ value }) => occurrencesOf(value.cron, value.timeZone).after(next))
}

/**
 * Enqueues the jobs of schedules and moves these on, in one commit. Where another was quicker with one of them, or one fails, each is done by
 * itself.
 */
async function fire(rows: QueueRows, database: QueueDatabase, firings: readonly Firing[]): Promise<void> {
  try {
    const operation = database.atomic()
    for (const firing of firings) addTo(operation, rows, firing)
    if ((await operation.commit()).ok || firings.length === 1) return
  } catch (error) {
    if (firings.length === 1) throw error
  }
  await Promise.all(firings.map((firing) => fire(rows, database, [firing])))
}

/** Has an operation enqueue the jobs of one schedule and move it on: where another was quicker, it does nothing. */
function addTo(
  operation: ReturnType<QueueDatabase['atomic']>,
  rows: QueueRows,
  { entry, times, next, now }: Firing,
): void {
  const { id, value, versionstamp } = entry
  const key = rows.scheduleKey(id)
  operation.check({ key, versionstamp }).set(key, { ...value, next })
  const { payload, priority, group } = value
  for (const time of times) {
    // Its id is that of the occurrence.
    const job = `${id}@${new Date(time).toISOString()}`
    const stored: StoredJob = {
      payload,
      due: now,
      priority,
      group,
      unique: null,
      attempts: 0,
      worker: null,
      error: null,
      enqueuedAt: now,
    }
    operation.set(rows.jobKey(job), stored)
    if (group !== null) operation.set(rows.lineKey(group, job), { job })
  }
}

/** Those that share a commit: one that has many occurrences to make up for is alone in its own. */
function commitsOf(firings: readonly Firing[]): Firing[][] {
  const [few, many] = [true, false].map((isFew) => firings.filter(({ times }) => times.length <= 1 === isFew))
  const commits = many!.map((firing) => [firing])
  for (let i = 0; i < few!.length; i += mostInCommit) commits.push(few!.slice(i, i + mostInCommit))
  return commits
}

function readTimes(schedule: StoredSchedule, now: number): ReturnType<typeof dueTimes> {
  try {
    return dueTimes(schedule, now)
  } catch (error) {
    // Another release, or another system, has understood it. The other schedules go on.
    warn(error)
    return { times: [], next: now + tryAgain }
  }
}

/** The occurrences that are due and get a job, and the one that comes then. */
export function dueTimes(
  { cron, timeZone, misfire, next: first }: StoredSchedule,
  now: number,
): { readonly times: readonly number[]; readonly next: number | null } {
  const occurrences = occurrencesOf(cron, timeZone)
  if (misfire === 'all') {
    const times: number[] = []
    let next = first
    for (; next !== null && next <= now && times.length < mostAtOnce; next = occurrences.after(next))
      times.push(next)
    return { times, next }
  }
  const second = occurrences.after(first!)
  // Where nothing was missed, the next is known already.
  if (second === null || second > now) {
    return { times: misfire === 'skip' && now - first! > late ? [] : [first!], next: second }
  }
  const last = lastBefore(occurrences, second, now)
  return { times: misfire === 'skip' && now - last > late ? [] : [last], next: occurrences.after(now) }
}

/** The last occurrence up to now, of which `known` is one: looked for backwards in steps that double, not one by one. */
function lastBefore(occurrences: Occurrences, known: number, now: number): number {
  for (let step = 60_000; now - step > known; step *= 2) {
    const found = occurrences.after(now - step)
    if (found !== null && found <= now) return lastFrom(occurrences, found, now)
  }
  return lastFrom(occurrences, known, now)
}

function lastFrom(occurrences: Occurrences, from: number, now: number): number {
  for (let last = from; ; ) {
    const next = occurrences.after(last)
    if (next === null || next > now) return last
    last = next
  }
}
