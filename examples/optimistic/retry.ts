import { setTimeout as delay } from 'node:timers/promises'
import { type AtomicResult, ConflictError } from 'valkeyrie'

export interface RetryOptions {
  /** How many times to try. */
  readonly attempts?: number
  /** The bound of the first wait, in milliseconds. It doubles with each attempt, up to `longest`. */
  readonly shortest?: number
  readonly longest?: number
}

/**
 * Tries until a commit succeeds; what is to be written has to be read anew each time. Rejects with ConflictError after the
 * last attempt: a caller may overlook a `false`, and take the write for done.
 *
 * The wait is random below its bound. Those who have met once would otherwise wait equally long, and meet again.
 */
export async function retry(
  attempt: () => Promise<AtomicResult>,
  { attempts = 50, shortest = 2, longest = 100 }: RetryOptions = {},
): Promise<void> {
  for (let tried = 1; ; tried++) {
    const result = await attempt()
    if (result.ok) return
    if (tried === attempts) throw new ConflictError(result.conflicts, tried)
    await delay(Math.random() * Math.min(shortest * 2 ** (tried - 1), longest))
  }
}
