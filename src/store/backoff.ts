import { setTimeout as delay } from 'node:timers/promises'
import { waited } from '../trace/waiting.ts'

const longest = 64

/**
 * Waits before the next attempt: a random time below a bound that doubles with each attempt ("full jitter"). Rejects with the
 * signal's reason when it aborts.
 */
export async function backOff(database: string, attempt: number, signal?: AbortSignal): Promise<void> {
  const bound = Math.min(2 ** attempt, longest)
  try {
    await waited(database, 'retry', delay(Math.random() * bound, undefined, signal && { signal }))
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
