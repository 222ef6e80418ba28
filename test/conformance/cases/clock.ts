import { vi } from 'vitest'

/** Runs `body` with a stopped clock that it can advance; timers never fire. */
export async function withClock(body: (advance: (ms: number) => void) => Promise<void>): Promise<void> {
  const started = Date.now()
  vi.useFakeTimers({ toFake: ['Date'], now: started })
  let now = started
  try {
    await body((ms) => {
      now += ms
      vi.setSystemTime(now)
    })
  } finally {
    vi.useRealTimers()
  }
}
