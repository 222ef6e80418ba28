import { setTimeout as delay } from 'node:timers/promises'
import { DatabaseBusyError } from '../../../contract/errors.ts'
import { isBusy, isPassing, toKvError } from './engine-error.ts'
import type { IsDue } from './lock-share.ts'

/** For how many milliseconds to retry at once: others hold the lock for some tens of microseconds. */
const longestRow = 0.05
/** How many milliseconds between attempts at most: while others copy their log into the file, the lock is free. */
const longestDelay = 4
/**
 * The same between checks whether an attempt is due. Each check takes processor time from those who write meanwhile: where more
 * processes write than there are cores, checks as frequent as attempts take a seventh of it.
 */
const longestPause = 16
/** The share of the timeout that such a pause may take. */
const pausePerTimeout = 1 / 16

/** Runs an attempt at once, and again later if others are in its way, when `due` says so. */
export type Run = <T>(attempt: () => T, due?: () => IsDue) => Promise<T>

const always: IsDue = () => true

/**
 * Runs `attempt` until other connections let it through, for at most `timeout` milliseconds. The event loop continues between
 * attempts. Delays grow and are jittered, so that processes that have collided do not collide again in step. `attempt` runs only
 * when it is due. It runs a whole transaction, without awaiting, and rolls it back if it throws.
 */
export async function retryBusy<T>(attempt: () => T, timeout: number, isDue = always): Promise<T> {
  /** When it was first refused: most attempts never read the clock. */
  let started: number | undefined
  let bound = 0.5
  const pause = Math.min(longestPause, pausePerTimeout * timeout)
  for (;;) {
    const waited = started === undefined ? 0 : performance.now() - started
    let due = true
    try {
      due = isDue(waited)
      if (due) return attemptInRow(attempt)
    } catch (error) {
      if (!isPassing(error)) throw toKvError(error)
      if (waited >= timeout) throw new DatabaseBusyError(Math.round(waited), { cause: error })
    }
    started ??= performance.now()
    bound = Math.min(2 * bound, due ? longestDelay : pause)
    await delay(1 + Math.random() * bound)
  }
}

/** Runs `attempt`, repeatedly, for a time too short to matter. */
function attemptInRow<T>(attempt: () => T): T {
  let end: number | undefined
  for (;;) {
    try {
      return attempt()
    } catch (error) {
      if (!isBusy(error)) throw error
      const now = performance.now()
      end ??= now + longestRow
      if (now >= end) throw error
    }
  }
}
