import { setTimeout as delay } from 'node:timers/promises'

const longest = 64

/**
 * Waits before the next attempt: milliseconds at random below a bound that doubles with each ("full jitter"). Rejects with the
 * signal's reason when that aborts.
 */
export async function backOff(attempt: number, signal?: AbortSignal): Promise<void> {
  const bound = Math.min(2 ** attempt, longest)
  try {
    await delay(Math.random() * bound, undefined, signal && { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
