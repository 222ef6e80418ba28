import { onTestFinished, vi } from 'vitest'

/** A stopped clock that a test advances. */
export interface StillClock {
  readonly now: number
  /** Advances it, or sets it back, by this many milliseconds. */
  advance(milliseconds: number): void
}

/**
 * Stops the clock of this process for the rest of the test, so that nothing expires before the test wants it to. Timers go
 * on: what waits for a moment looks at the clock when its timer fires, and waits on where that moment has not come. A database on a
 * server that was opened before knows the server's clock to some milliseconds only: advance by a second more than to its expiry.
 */
export function stillClock(): StillClock {
  let now = Date.now()
  vi.useFakeTimers({ toFake: ['Date'], now })
  onTestFinished(() => void vi.useRealTimers())
  return {
    get now() {
      return now
    },
    advance(milliseconds) {
      now += milliseconds
      vi.setSystemTime(now)
    },
  }
}
