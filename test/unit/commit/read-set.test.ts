import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { failedChecks } from '../../../src/commit/checks.ts'
import type { LoggedChange, LoggedCommit } from '../../../src/commit/log-format.ts'
import { changedReads } from '../../../src/commit/read-set.ts'
import type { RowVersion } from '../../../src/commit/transaction.ts'
import type { ReadSet } from '../../../src/commit/write.ts'

const key = (n: number) => Uint8Array.of(n)
const now = 1_000

/** A database of a log, from which its rows follow; `keep`: how many commits the log still has. */
function databaseOf(commits: readonly (readonly LoggedChange[])[], keep = commits.length) {
  const rows = new Map<number, RowVersion>()
  const log = commits.map((changes, i): LoggedCommit => {
    for (const { type, key } of changes) {
      if (type === 'set') rows.set(key[0]!, { version: i + 1, expiresAt: null })
      else rows.delete(key[0]!)
    }
    return { version: i + 1, at: 0, changes }
  })
  const kept = log.slice(log.length - keep)
  return {
    latest: commits.length,
    rows,
    versionOf: (key: Uint8Array) => rows.get(key[0]!) ?? null,
    oldestLogged: () => kept[0]?.version ?? 0,
    // In pages of two.
    loggedAfter: (version: number) => kept.filter((commit) => commit.version > version).slice(0, 2),
    expiredBetween: () => [],
  }
}

const change = fc.record({
  type: fc.constantFrom('set' as const, 'delete' as const),
  key: fc.nat(7).map(key),
})
const history = fc.array(fc.array(change, { maxLength: 3 }), { minLength: 1, maxLength: 12 })
const range = fc
  .tuple(fc.nat(8), fc.nat(8))
  .map(([a, b]) => ({ start: key(Math.min(a, b)), end: key(Math.max(a, b)) }))

/** What was read of a history at one of its versions. */
const readings = fc
  .tuple(history, fc.nat(), fc.uniqueArray(fc.nat(7)), fc.array(range, { maxLength: 2 }))
  .map(([commits, at, keys, ranges]) => {
    const since = at % (commits.length + 1)
    const { rows } = databaseOf(commits.slice(0, since))
    const read = keys.map((n) => ({ key: key(n), version: rows.get(n)?.version ?? null }))
    return { commits, reads: { since, at: 0, keys: read, ranges, validUntil: null } satisfies ReadSet }
  })

const changedAfter = (commits: readonly (readonly LoggedChange[])[], since: number) =>
  new Set(commits.slice(since).flatMap((changes) => changes.map(({ key }) => key[0]!)))

describe('a read set', () => {
  test('holds exactly as long as no later commit has changed one of its keys', () => {
    fc.assert(
      fc.property(readings, ({ commits, reads }) => {
        const database = databaseOf(commits)
        const changed = changedAfter(commits, reads.since)
        const isRead = (n: number) =>
          reads.keys.some(({ key }) => key[0] === n) ||
          reads.ranges.some(({ start, end }) => start[0]! <= n && n < end[0]!)
        const expected = [...changed].filter(isRead)
        const conflicts = changedReads(reads, database.latest, now, database)
        expect(conflicts === null).toBe(expected.length === 0)
        const found = conflicts?.map(({ key }) => key[0]!) ?? []
        expect(found.toSorted()).toEqual(expected.toSorted())
        for (const { key, actual } of conflicts ?? []) {
          expect(actual).toBe(database.rows.get(key[0]!)?.version ?? null)
        }
      }),
    )
  })

  test('never holds wrongly with a trimmed or damaged log', () => {
    fc.assert(
      fc.property(readings, fc.nat(), fc.boolean(), ({ commits, reads }, n, isDamaged) => {
        // Up to about the version that was read; the newest row always stays.
        const keep = commits.length - reads.since + 1 - (n % 4)
        const trimmed = databaseOf(commits, Math.min(Math.max(keep, 1), commits.length))
        const whole = databaseOf(commits)
        const damaged = {
          ...whole,
          loggedAfter: (version: number) =>
            whole
              .loggedAfter(version)
              .map((commit) =>
                commit.version === 1 + (n % commits.length) ? { ...commit, changes: null } : commit,
              ),
        }
        const exact = changedReads(reads, whole.latest, now, whole)
        const found = changedReads(reads, whole.latest, now, isDamaged ? damaged : trimmed)
        const versionsDiffer = failedChecks(reads.keys, whole, now).length > 0
        const mayBeMissed = reads.ranges.length === 0 && !versionsDiffer
        if (exact !== null && !mayBeMissed) expect(found).not.toBeNull()
        if (versionsDiffer) expect(found).not.toBeNull()
      }),
      { numRuns: 1_000 },
    )
  })

  test('ends when one of its rows, or one in a range, expires', () => {
    const database = databaseOf([[{ type: 'set', key: key(1) }]])
    const reads: ReadSet = {
      since: 1,
      at: 500,
      keys: [{ key: key(1), version: 1 }],
      ranges: [],
      validUntil: 1_001,
    }
    expect(changedReads(reads, 1, 1_000, database)).toBeNull()
    expect(changedReads(reads, 1, 1_001, database)).toEqual([{ key: key(1), expected: 1, actual: null }])

    const ranges = [{ start: key(3), end: key(5) }]
    const expiring = (n: number) => ({ ...database, expiredBetween: () => [{ key: key(n), version: 1 }] })
    const ofRange = { ...reads, keys: [], ranges, validUntil: null }
    expect(changedReads(ofRange, 1, now, expiring(5))).toBeNull()
    expect(changedReads(ofRange, 1, now, expiring(4))).toEqual([{ key: key(4), expected: 1, actual: null }])
  })
})

test('a check holds for the version under its key, and an expired row has none', () => {
  const expiry = fc.option(fc.integer({ min: 998, max: 1_002 }))
  const row = fc.option(fc.record({ version: fc.nat(3), expiresAt: expiry }))
  fc.assert(
    fc.property(fc.array(fc.tuple(row, fc.option(fc.nat(3))), { maxLength: 5 }), (checked) => {
      const checks = checked.map(([, version], i) => ({ key: key(i), version }))
      const conflicts = failedChecks(checks, { versionOf: (key) => checked[key[0]!]![0] }, now)
      const expected = checked.flatMap(([row, version], i) => {
        const alive = row !== null && !(row.expiresAt !== null && row.expiresAt <= now)
        const actual = alive ? row.version : null
        return actual === version ? [] : [{ key: key(i), expected: version, actual }]
      })
      expect(conflicts).toEqual(expected)
    }),
  )
})
