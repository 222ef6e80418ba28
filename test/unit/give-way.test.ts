import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  beforeCall,
  inSlices,
  isWorkLong,
  paced,
  pacedOutcome,
  pacedSince,
  pauseDue,
} from '../../src/time/give-way.ts'
import { EventLoopTurns } from '../event-loop-turns.ts'

/** Works until a pause is due, and a timer that began just before it; returns what to wait for. */
function workLong(): Promise<void> {
  const end = performance.now() + 2
  while (!isWorkLong() || performance.now() < end);
  return pauseDue()!
}

// What ran before is no part of the work in a test: the pause that it may owe is over after two turns.
beforeEach(async () => {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
})

describe('pauseDue', () => {
  it.each([
    ['a timer', (begin: () => void) => void setTimeout(begin, 1)],
    ['an immediate', (begin: () => void) => void setImmediate(begin)],
    ['a microtask', (begin: () => void) => queueMicrotask(begin)],
  ])('lets due timers run first if the work began in %s', async (_, inTurnOf) => {
    const order: string[] = []
    await new Promise<void>((resolve) =>
      inTurnOf(async () => {
        const timer = new Promise<void>((fired) => setTimeout(fired, 1)).then(() => order.push('timer'))
        await workLong()
        order.push('work')
        await timer
        resolve()
      }),
    )
    expect(order).toEqual(['timer', 'work'])
  })

  it.each([
    ['while', false],
    ['after', true],
  ])('lets work go on %s a test replaces all timers', async (_, isOver) => {
    onTestFinished(() => void vi.useRealTimers())
    vi.useFakeTimers({ toFake: ['setImmediate', 'setTimeout', 'setInterval'] })
    pauseDue()
    if (isOver) vi.useRealTimers()
    for (let stretch = 0; stretch < 3; stretch++) await workLong()
  })

  it('is due at once when a test has put the time forward and back', async () => {
    const [seconds, nanoseconds] = process.hrtime()
    const time = vi.spyOn(process, 'hrtime').mockReturnValue([seconds + 3_600, nanoseconds])
    onTestFinished(() => time.mockRestore())
    pauseDue()
    time.mockRestore()
    expect(isWorkLong()).toBe(true)
    await pauseDue()
  })

  it('lets timers run between any two stretches of work', async () => {
    for (let stretch = 0; stretch < 5; stretch++) {
      let fired = false
      setTimeout(() => {
        fired = true
      }, 1)
      await workLong()
      expect(fired).toBe(true)
    }
  })

  it('lets waiting calls continue in their order', async () => {
    const order: number[] = []
    const first = workLong().then(() => order.push(0))
    const others = Array.from({ length: 50 }, (_, i) => pauseDue()!.then(() => order.push(i + 1)))
    await Promise.all([first, ...others])
    expect(order).toEqual(Array.from({ length: 51 }, (_, i) => i))
  })
})

describe('the outcome of a call', () => {
  it('comes at once if no pause is due, and after the pause if one is', async () => {
    const outcome = Promise.resolve(1)
    expect(pacedOutcome(outcome)).toBe(outcome)
    const order: string[] = []
    setTimeout(() => order.push('timer'), 1)
    void workLong()
    await pacedOutcome(outcome).then((value) => order.push(`outcome ${value}`))
    expect(order).toEqual(['timer', 'outcome 1'])
  })

  it('is a failure all the same, and nobody sees it unhandled before', async () => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    onTestFinished(() => void process.off('unhandledRejection', unhandled))
    const reason = new Error('refused')
    void workLong()
    await expect(pacedOutcome(Promise.reject(reason))).rejects.toBe(reason)
    expect(unhandled).not.toHaveBeenCalled()
  })

  it('waits for no pause if the call has asked for one itself', async () => {
    const before = beforeCall()
    void workLong()
    const outcome = Promise.resolve(1)
    expect(pacedSince(before, outcome)).toBe(outcome)
    expect(pacedSince(beforeCall(), outcome)).not.toBe(outcome)
  })
})

describe('inSlices', () => {
  const items = Array.from({ length: 1_000 }, (_, i) => i)

  it('maps each item, synchronously if there is time', async () => {
    await new Promise((resolve) => setImmediate(resolve))
    const now = process.hrtime()
    const time = vi.spyOn(process, 'hrtime').mockReturnValue(now)
    onTestFinished(() => time.mockRestore())
    expect(inSlices(items, (item, i) => item + i)).toEqual(items.map((item) => 2 * item))
  })

  it('gives the same results in the same order if some, or all, are promises', async () => {
    const doubled = items.map((item) => 2 * item)
    expect(await inSlices(items, async (item) => 2 * item)).toEqual(doubled)
    expect(await inSlices(items, (item) => (item % 7 === 0 ? Promise.resolve(2 * item) : 2 * item))).toEqual(
      doubled,
    )
    const late = (item: number) =>
      new Promise<number>((resolve) => setTimeout(() => resolve(2 * item), item % 3))
    expect(await inSlices(items, (item) => (item % 100 === 1 ? late(item) : 2 * item))).toEqual(doubled)
  })

  it('pauses between items', async () => {
    let turns = 0
    const count = setInterval(() => turns++, 1)
    const made = inSlices(items.slice(0, 10), (item) => {
      while (!isWorkLong());
      return item
    })
    expect(made).toBeInstanceOf(Promise)
    expect(await made).toEqual(items.slice(0, 10))
    clearInterval(count)
    expect(turns).toBeGreaterThan(0)
  })

  it('rejects with the failure, even if another fails at the same time', async () => {
    const failure = new Error('one')
    const reject = (item: number) => Promise.reject(item === 1 ? failure : new Error('another'))
    await expect(inSlices(items, (item) => (item < 1 ? item : reject(item)))).rejects.toBe(failure)
    const rejectOrThrow = (item: number) => {
      if (item === 3) throw failure
      return Promise.reject(new Error('another'))
    }
    expect(() => inSlices(items, rejectOrThrow)).toThrow(failure)
    // An unhandled rejection would have ended the run by then.
    await new Promise((resolve) => setTimeout(resolve, 1))
  })
})

describe('paced', () => {
  it('lets the event loop turn after each long call', async () => {
    using turns = new EventLoopTurns()
    const seen: number[] = []
    const call = async () => {
      seen.push(turns.count)
      for (const end = performance.now() + 10; performance.now() < end; );
    }
    for (let n = 0; n < 5; n++) await paced(call, false)
    expect(new Set(seen).size).toBe(5)
  })
})
