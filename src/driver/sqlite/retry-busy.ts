import { setTimeout as delay } from 'node:timers/promises'
import { DatabaseBusyError } from '../../errors.ts'
import { isPassing, toKvError } from './engine-error.ts'

const longestDelay = 4

/** Runs an attempt at once, and again later where others are in its way. */
export type Run = <T>(attempt: () => T) => Promise<T>

/**
 * Runs `attempt` until other connections let it through, for at most `timeout` milliseconds. Between attempts the
 * event loop goes on; the delays grow and are jittered, so that processes that collided do not collide again in step.
 * `attempt` runs a whole transaction, without awaiting, and undoes it when it throws.
 */
export async function retryBusy<T>(attempt: () => T, timeout: number): Promise<T> {
  const started = performance.now()
  for (let bound = 1; ; bound = Math.min(bound * 2, longestDelay)) {
    try {
      return attempt()
    } catch (error) {
      if (!isPassing(error)) throw toKvError(error)
      const waited = performance.now() - started
      if (waited >= timeout) throw new DatabaseBusyError(Math.round(waited), { cause: error })
    }
    await delay(1 + Math.random() * bound)
  }
}
