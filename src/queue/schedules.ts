import { checkOptionNames } from '../arguments/option-names.ts'
import { storeOfFace } from '../key-value/key-value.ts'
import { encodeValue } from '../value/codec.ts'
import type { ValueFormat } from '../value/value-format.ts'
import { occurrencesOf } from './cron.ts'
import { placeOf } from './enqueue.ts'
import { isAhead, isUntouched } from './fire-schedules.ts'
import { occurrenceId } from './occurrence.ts'
import type { QueueRows } from './queue-rows.ts'
import type { StoredSchedule } from './rows.ts'
import { isUnit, nowOf, openStore, type QueueDatabase, type QueueUnit } from './target.ts'
import { removeJob } from './upkeep.ts'

/** What to enqueue again and again, and when. */
export interface Schedule<Input> {
  /**
   * Five fields (minute, hour, day of the month, month and day of the week), such as `'0 9 * * 1-5'`; six begin with the second.
   * Also `@hourly`, `@daily` and the like, `L`, `W` and `#`: see the documentation of croner.
   */
  readonly cron: string
  /** The time zone of the expression, such as `'Europe/Paris'`. Default `'UTC'`. */
  readonly timeZone?: string | undefined
  /** What to enqueue each time. */
  readonly payload: Input
  /**
   * What to do about times at which no worker was running: `'once'` enqueues one job for all of them, `'skip'` none for those
   * that are more than a minute late, `'all'` one for each. Default `'once'`.
   */
  readonly misfire?: 'once' | 'skip' | 'all' | undefined
  /** As in the options of `enqueue`. */
  readonly priority?: number | undefined
  /** As in the options of `enqueue`. */
  readonly group?: string | undefined
}

const scheduleNames = ['cron', 'timeZone', 'payload', 'misfire', 'priority', 'group']
const misfires = ['once', 'skip', 'all']

/**
 * Stores a schedule, replacing the one with the same id. A schedule with the same times continues, so every process can call this
 * when it starts.
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
    throw new TypeError('The id of a schedule must be a text that is not empty')
  checkOptionNames(schedule, scheduleNames, 'schedule')
  const { cron, timeZone = 'UTC', misfire = 'once' } = schedule
  if (!misfires.includes(misfire))
    throw new TypeError(`misfire must be 'once', 'skip' or 'all' (got ${String(misfire)})`)
  const occurrences = occurrencesOf(cron, timeZone)
  const place = placeOf(schedule)
  checkJobKeys(rows, target, id, place.group)
  const payload = await rows.output(schedule.payload)
  const set = async (unit: QueueUnit) => {
    const { schedules } = rows.in(unit)
    const { value: before } = await schedules.get(id)
    const said = { cron, timeZone, misfire, payload, ...place }
    const now = nowOf(target)
    if (before === null) {
      await schedules.set(id, { ...said, next: occurrences.after(now), ahead: null })
      return
    }
    const { next, ahead, ...wasSaid } = before
    if (isStoredAs(said, wasSaid, storeOfFace(target)!.format)) return
    const isTakenBack = await takeBack(rows, unit, id, before, now)
    const hasSameTimes = before.cron === cron && before.timeZone === timeZone
    await schedules.set(id, {
      ...said,
      next: hasSameTimes ? next : occurrences.after(now),
      ahead: hasSameTimes && !isTakenBack ? ahead : null,
    })
  }
  if (isUnit(target)) await set(target)
  else await target.unitOfWork(set)
}

/** Throws a TypeError or RangeError if the id or group leaves no room for the keys of jobs: each occurrence would fail. */
function checkJobKeys(
  rows: QueueRows,
  target: QueueDatabase | QueueUnit,
  schedule: string,
  group: string | null,
): void {
  const job = occurrenceId({ schedule, time: 0 })
  const store = storeOfFace(target)!
  store.encodeKey(group === null ? rows.jobKey(job) : rows.lineKey(group, job))
}

/** Whether both have the same stored form: comparing values ignores what instances of classes hide. */
function isStoredAs(one: unknown, other: unknown, format: ValueFormat): boolean {
  const [first, second] = [one, other].map((value) => encodeValue(value, format))
  return first!.value === second!.value && first!.types === second!.types
}

/** Ends a schedule. Returns whether it existed. */
export async function removeSchedule(
  rows: QueueRows,
  target: QueueDatabase | QueueUnit,
  id: string,
): Promise<boolean> {
  if (!isUnit(target)) return target.unitOfWork((unit: QueueUnit) => removeSchedule(rows, unit, id))
  const { schedules } = rows.in(target)
  const { value } = await schedules.get(id)
  if (value === null) return false
  await takeBack(rows, target, id, value, nowOf(target))
  return schedules.delete(id)
}

/** Removes the job that was enqueued early, unless a worker with a fast clock has taken it. Returns whether it did. */
async function takeBack(
  rows: QueueRows,
  unit: QueueUnit,
  id: string,
  schedule: StoredSchedule,
  now: number,
): Promise<boolean> {
  if (!isAhead(schedule) || schedule.next! <= now) return false
  const job = occurrenceId({ schedule: id, time: schedule.next! })
  const { value } = await rows.in(unit).jobs.get(job)
  return isUntouched(value) && (await removeJob(rows, unit, job))
}
