import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type LogRetention, lastTrimmed, trimOf } from '../../../src/commit/retention.ts'

const forEver = Number.MAX_SAFE_INTEGER

/** A log to which commits are added, each trim applied as an engine does. */
function logAfter(commits: readonly number[], retention: LogRetention, at: (version: number) => number) {
  let log: (readonly [version: number, at: number])[] = []
  let latest = 0
  for (const given of commits) {
    const before = latest
    for (let i = 0; i < given; i++) {
      latest += 1
      log.push([latest, at(latest)])
    }
    const trim = trimOf(retention, before, latest, at(latest))
    const last = trim && lastTrimmed(trim, log.slice(0, trim.look))
    if (last !== null) log = log.filter(([version]) => version > last)
  }
  return { log, latest }
}

const commits = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 60 })

test('what is kept is the newest without a gap, at least so many rows, and at most twice as many', () => {
  fc.assert(
    fc.property(commits, fc.integer({ min: 1, max: 200 }), (commits, keepRows) => {
      const { log, latest } = logAfter(commits, { keepRows, keepMs: forEver }, (version) => version)
      const largest = Math.max(...commits)
      expect(log.map(([version]) => version)).toEqual(log.map((_, i) => latest - log.length + 1 + i))
      expect(log.length).toBeGreaterThanOrEqual(Math.min(keepRows, latest))
      expect(log.length).toBeLessThanOrEqual(2 * keepRows + largest)
    }),
  )
})

test('no row that is young enough is removed, and the newest never is', () => {
  fc.assert(
    fc.property(commits, fc.nat(200), (commits, keepMs) => {
      const at = (version: number) => 3 * version
      const { log, latest } = logAfter(commits, { keepRows: forEver, keepMs }, at)
      const young = Array.from({ length: latest }, (_, i) => i + 1).filter(
        (version) => at(version) >= at(latest) - keepMs,
      )
      expect(log.map(([version]) => version)).toEqual(expect.arrayContaining(young))
    }),
  )
  const { log } = logAfter([600], { keepRows: 1, keepMs: 0 }, () => 0)
  expect(log).toEqual([[600, 0]])
})

test('nothing is due if nothing was committed', () => {
  expect(trimOf({ keepRows: 1, keepMs: 0 }, 256, 256, 0)).toBeNull()
})

test('none is removed after one that stays, even if a clock was set back', () => {
  const trim = trimOf({ keepRows: 10, keepMs: 100 }, 99, 100, 1_000)!
  const [old, young] = [0, 5_000]
  expect(
    lastTrimmed(trim, [
      [90, old],
      [91, young],
      [92, old],
      [100, old],
    ]),
  ).toBe(90)
  expect(
    lastTrimmed(trim, [
      [90, young],
      [91, old],
      [92, old],
      [100, old],
    ]),
  ).toBe(92)
  expect(
    lastTrimmed(trim, [
      [91, young],
      [92, old],
    ]),
  ).toBeNull()
})
