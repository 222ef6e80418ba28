import { type Occurrences, occurrencesOf } from './cron.ts'
import type { StoredSchedule } from './rows.ts'
import { warn } from './warn.ts'

/** The occurrences of a schedule that get a job, and the next one after them. */
export interface DueTimes {
  readonly times: readonly number[]
  readonly next: number | null
}

/** How many milliseconds after its time an occurrence counts as late. */
const late = 60_000
/** How many milliseconds until a schedule that cannot be read here is tried again. */
const tryAgain = 3_600_000
/** How many missed occurrences of a schedule to make up for at once. */
const mostAtOnce = 1_000

/** Like `dueTimes`, but empty for a schedule that only another release or system understands, so that the others go on. */
export function readDueTimes(schedule: StoredSchedule, now: number): DueTimes {
  try {
    return dueTimes(schedule, now)
  } catch (error) {
    warn(error)
    return { times: [], next: now + tryAgain }
  }
}

/** The occurrences that are due and get a job, and the next one after them. */
export function dueTimes({ cron, timeZone, misfire, next: first }: StoredSchedule, now: number): DueTimes {
  const occurrences = occurrencesOf(cron, timeZone)
  if (misfire === 'all') {
    const times: number[] = []
    let next = first
    for (; next !== null && next <= now && times.length < mostAtOnce; next = occurrences.after(next))
      times.push(next)
    return { times, next }
  }
  const second = occurrences.after(first!)
  // If nothing was missed, the next one is already known.
  if (second === null || second > now) {
    return { times: misfire === 'skip' && now - first! > late ? [] : [first!], next: second }
  }
  const last = lastBefore(occurrences, second, now)
  return { times: misfire === 'skip' && now - last > late ? [] : [last], next: occurrences.after(now) }
}

/** The last occurrence up to now, given an earlier one. Looks back in steps that double, not one by one. */
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
