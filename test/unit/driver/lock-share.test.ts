import { describe, expect, test } from 'vitest'
import { LockShare } from '../../../src/driver/sqlite/file/lock-share.ts'

const timeout = 5_000

/** One that has just written for so many milliseconds, eight times in each. It ends at 1,000. */
function afterWriting(milliseconds: number): LockShare {
  const share = new LockShare()
  for (let at = 1_000 - milliseconds; at < 1_000; at += 0.125) share.used(at, at + 0.125, 1)
  return share
}

/** When an attempt is due of one that looks every millisecond, while others write so many times in each until `stop`. */
function dueAfter(share: LockShare, perMillisecond: number, { busyTimeout = timeout, stop = Infinity } = {}) {
  let now = 0
  const isDue = share.due(1_000, busyTimeout, () => 7_000 + Math.floor(Math.min(now, stop) * perMillisecond))
  for (; now <= busyTimeout; now++) if (isDue(now)) return now
  return null
}

test('an occasional writer tries again at once', () => {
  expect(dueAfter(new LockShare(), 8)).toBe(0)
  const share = new LockShare()
  for (let at = 0; at < 1_000; at += 5) share.used(at, at + 0.1, 1)
  expect(dueAfter(share, 8)).toBeLessThanOrEqual(5)
})

test('writes before a pause do not count', () => {
  const share = afterWriting(50)
  share.used(1_002, 1_002.1, 1)
  expect(share.due(1_002.1, timeout, () => 0)(6)).toBe(true)
  expect(afterWriting(50).due(1_010, timeout, () => 0)(0)).toBe(true)
})

describe('who has written many times in a row', () => {
  test('lets others do the same, for a bounded time', () => {
    expect(dueAfter(afterWriting(50), 8)).toBe(100)
    expect(dueAfter(afterWriting(1), 8)).toBe(50)
  })

  test('continues as soon as they do not', () => {
    expect(dueAfter(afterWriting(50), 8, { stop: 20 })).toBe(21)
    expect(dueAfter(afterWriting(50), 0)).toBe(1)
  })

  test('continues if they leave gaps', () => {
    expect(dueAfter(afterWriting(50), 3)).toBeLessThanOrEqual(2)
  })

  test('keeps half of its time for attempts', () => {
    expect(dueAfter(afterWriting(50), 8, { busyTimeout: 60 })).toBe(30)
    expect(dueAfter(afterWriting(50), 8, { busyTimeout: 0 })).toBe(0)
  })
})
