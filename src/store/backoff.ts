import { setTimeout as delay } from 'node:timers/promises'

const longest = 64

/** Waits before the next attempt: milliseconds at random below a bound that doubles with each ("full jitter"). */
export function backOff(attempt: number, signal?: AbortSignal): Promise<void> {
  const bound = Math.min(2 ** attempt, longest)
  return delay(Math.random() * bound, undefined, signal && { signal })
}
