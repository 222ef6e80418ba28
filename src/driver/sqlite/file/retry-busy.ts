import { setTimeout as delay } from 'node:timers/promises'
import { DatabaseBusyError } from '../../../contract/errors.ts'
import { isBusy, isPassing, toKvError } from './engine-error.ts'
import type { IsDue } from './lock-share.ts'

/** Milliseconds for which attempts follow each other at once: others hold the lock for some tens of microseconds. */
const longestRow = 0.05
/** Milliseconds between attempts, and between looks whether one is due: while others copy their log into the file, the lock is free. */
const longestDelay = 4

/** Runs an attempt at once, and again later where others are in its way; `due` gives when. */
export type Run = <T>(attempt: () => T, due?: () => IsDue) => Promise<T>

const always: IsDue = () => true

/**
 * Runs `attempt` until other connections let it through, for at most `timeout` milliseconds. Between attempts the
 * event loop goes on; the delays grow and are jittered, so that processes that collided do not collide again in step. While none
 * is due there is no attempt. `attempt` runs a whole transaction, without awaiting, and undoes it when it throws.
 */
export async function retryBusy<T>(attempt: () => T, timeout: number, isDue = always): Promise<T> {
  /** When there was no way through at first: most attempts look at no clock. */
  let started: number | undefined
  let bound = 0.5
  for (;;) {
    const waited = started === undefined ? 0 : performance.now() - started
    try {
      if (isDue(waited)) return attemptInRow(attempt)
    } catch (error) {
      if (!isPassing(error)) throw toKvError(error)
      if (waited >= timeout) throw new DatabaseBusyError(Math.round(waited), { cause: error })
    }
    started ??= performance.now()
    bound = Math.min(2 * bound, longestDelay)
    await delay(1 + Math.random() * bound)
  }
}

/** Runs `attempt`, again and again for a moment that nothing else notices. */
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
