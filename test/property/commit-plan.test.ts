import { deepStrictEqual } from 'node:assert/strict'
import type Database from 'better-sqlite3'
import fc from 'fast-check'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { CommitFacts } from '../../src/commit/facts.ts'
import { readChanges, writeChanges } from '../../src/commit/log-format.ts'
import { needsOf, planCommit } from '../../src/commit/plan.ts'
import type { AtomicWrite, CommitOutcome, Mutation } from '../../src/commit/write.ts'
import type { Driver, StoredRow } from '../../src/driver/driver.ts'
import { openSqlite } from '../../src/driver/sqlite/open.ts'
import { encodeKey } from '../../src/key/codec.ts'
import { keyText } from '../../src/key/key-text.ts'
import { encodeValue } from '../../src/value/codec.ts'
import type { StoredValue } from '../../src/value/encoding.ts'
import { KvU64 } from '../../src/value/kv-u64.ts'
import { driverOptions } from '../driver-options.ts'
import { extent } from '../extent.ts'

const start = 1_000_000
const keys = ['a', 'b', 'c', 'd'].map((name) => encodeKey([name]))
const key = fc.constantFrom(...keys)
const time = fc.option(fc.integer({ min: start - 2, max: start + 12 }))
const stored: fc.Arbitrary<StoredValue> = fc.oneof(
  fc.nat(3).map((n) => encodeValue(n)),
  fc.bigInt(0n, 3n).map((n) => encodeValue(new KvU64(n))),
)
const optionalTime = fc
  .option(time, { nil: undefined })
  .map((at) => (at === undefined ? {} : { expiresAt: at }))

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc
    .tuple(key, stored, optionalTime)
    .map(([key, stored, expiry]) => ({ type: 'set' as const, key, collection: null, stored, ...expiry })),
  key.map((key) => ({ type: 'delete' as const, key })),
  fc.tuple(key, time).map(([key, expiresAt]) => ({ type: 'touch' as const, key, expiresAt })),
  fc
    .tuple(fc.constantFrom('sum' as const, 'min' as const, 'max' as const), key, fc.nat(4), optionalTime)
    .map(([type, key, n, expiry]) => ({
      type,
      key,
      collection: null,
      operand: BigInt(n) - (type === 'sum' ? 2n : 0n),
      ...expiry,
    })),
)

/** Versions count back from the newest one, which is known when the batch is run. */
interface Drawn {
  readonly mutations: readonly Mutation[]
  readonly checks: readonly {
    readonly place: number
    readonly back: number | null
    readonly key: Uint8Array
  }[]
  readonly reads: {
    readonly back: number
    readonly keys: readonly Uint8Array[]
    readonly ranged: boolean
  } | null
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  mutations: fc.array(mutation, { minLength: 1, maxLength: 4 }),
  checks: fc.array(fc.record({ place: fc.nat(5), back: fc.option(fc.nat(3)), key }), { maxLength: 2 }),
  reads: fc.option(
    fc.record({ back: fc.nat(4), keys: fc.uniqueArray(key, { selector: keyText }), ranged: fc.boolean() }),
    { freq: 2 },
  ),
})

/** Batches of writes, and the milliseconds that pass before each. */
const batches = fc.array(fc.tuple(fc.nat(4), fc.array(drawn, { minLength: 1, maxLength: 4 })), {
  minLength: 1,
  maxLength: 5,
})

function writeOf(
  { mutations, checks, reads }: Drawn,
  client: Database.Database,
  latest: number,
  now: number,
): AtomicWrite {
  const versionOf = (key: Uint8Array) => rowsOf(client).get(keyText(key))?.version ?? null
  return {
    mutations,
    // Some are of the keys that are written, as inserts and replacements are, and most of them hold.
    checks: checks.map(({ place, back, key }) => {
      const checked = place < mutations.length ? mutations[place]!.key : key
      return {
        key: checked,
        version: back === null || back > 1 ? versionOf(checked) : Math.max(latest - back, 1),
      }
    }),
    ...(reads && {
      reads: {
        since: Math.max(latest - reads.back, 0),
        at: now - 3,
        keys: reads.keys.map((key) => ({ key, version: versionOf(key) })),
        ranges: reads.ranged ? [{ start: keys[1]!, end: keys[3]! }] : [],
        validUntil: null,
      },
    }),
  }
}

test('carrying out a plan leaves the same rows as SQLite applying the writes one by one', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  let committed = 0
  await fc.assert(
    fc.asyncProperty(batches, fc.boolean(), async (batches, logValues) => {
      const { driver, plain, catalog } = await openMemory(logValues)
      const client = plain.drizzle.$client
      let now = start
      try {
        for (const [pause, drawn] of batches) {
          now += pause
          vi.setSystemTime(now)
          const latest = await driver.latestVersion()
          const writes = drawn.map((one) => writeOf(one, client, latest, now))
          const facts = factsOf(client, writes, latest, now)
          const before = rowsOf(client)
          const plan = planCommit(writes, facts, logValues)

          const result = await driver.commit({ catalogVersion: catalog.version, writes })
          if (result.type !== 'done') throw new Error('stale')
          deepStrictEqual(plainOutcomes(plan.outcomes, writes), plainOutcomes(result.outcomes, writes))
          committed += result.outcomes.filter(({ type }) => type === 'committed').length
          expect(plan.latest).toBe(await driver.latestVersion())

          for (const { key, version } of plan.holds.versions) {
            expect(before.get(keyText(key))?.version ?? null).toBe(version)
          }
          for (const row of plan.rows) {
            const text = keyText(row.key)
            if (row.type === 'remove') before.delete(text)
            else if (row.type === 'put')
              before.set(text, { ...row.stored, version: row.version, expiresAt: row.expiresAt })
            else before.set(text, { ...before.get(text)!, version: row.version, expiresAt: row.expiresAt })
          }
          deepStrictEqual(plainRows(before), plainRows(rowsOf(client)))
          deepStrictEqual(
            plan.log.map(({ version, at, changes }) => [
              version,
              at,
              Buffer.from(writeChanges(changes)).toString('hex'),
            ]),
            logOf(client, latest).map(([version, at, changes]) => [version, at, changes.toString('hex')]),
          )
        }
      } finally {
        await driver.close()
      }
    }),
    { numRuns: extent('databases', 70, 200) },
  )
  expect(committed).toBeGreaterThan(0)
})

function openMemory(
  logValues: boolean,
): Promise<Awaited<ReturnType<typeof openSqlite>> & { driver: Driver }> {
  return openSqlite([], {
    ...driverOptions,
    durability: 'normal',
    retention: { keepRows: 10_000, keepMs: 1e9 },
    logValues,
  })
}

/** All that is needed, and nothing else. */
function factsOf(
  client: Database.Database,
  writes: readonly AtomicWrite[],
  latest: number,
  now: number,
): CommitFacts {
  const { versions, rows, since, expiredAfter } = needsOf(writes)
  const there = rowsOf(client)
  const rowAt = (key: Uint8Array) => there.get(keyText(key)) ?? null
  const logged = since === null ? [] : logOf(client, since)
  return {
    latest,
    now,
    turn: null,
    versions: versions.map((key) => ({ key, row: rowAt(key) })),
    rows: rows.map((key) => ({ key, row: rowAt(key) })),
    oldestLogged: logOf(client, 0)[0]?.[0] ?? 0,
    logged: logged.map(([version, at, changes]) => ({ version, at, changes: readChanges(changes) })),
    expired: [...there].flatMap(([text, { version, expiresAt }]) =>
      expiredAfter !== null && expiresAt !== null && expiresAt > expiredAfter && expiresAt <= now
        ? [{ key: Buffer.from(text, 'latin1'), version, expiresAt }]
        : [],
    ),
    claimable: new Map(),
    unique: new Map(),
    holders: new Map(),
  }
}

function rowsOf(client: Database.Database): Map<string, StoredRow> {
  const rows = client
    .prepare<[], StoredRow & { key: Buffer }>(
      'SELECT key, value, encoding, types, version, expires_at AS expiresAt FROM kv ORDER BY key',
    )
    .all()
  return new Map(rows.map(({ key, ...row }) => [keyText(key), row]))
}

function logOf(client: Database.Database, since: number): [version: number, at: number, changes: Buffer][] {
  const read = client
    .prepare('SELECT version, at, changes FROM kv_log WHERE version > ? ORDER BY version')
    .raw()
  return read.all(since) as [number, number, Buffer][]
}

/** Errors by what they say, keys by their bytes; of the rows of a range that have expired, either may give its first. */
function plainOutcomes(outcomes: readonly CommitOutcome[], writes: readonly AtomicWrite[]) {
  return outcomes.map((outcome, i) => {
    if (outcome.type === 'failed') return { type: 'failed', error: String(outcome.error) }
    if (outcome.type !== 'conflict') return outcome
    const [first, ...more] = outcome.conflicts
    if (writes[i]!.reads?.ranges.length && first?.actual === null && more.length === 0) {
      return { type: 'conflict', conflicts: 'a row that is gone' }
    }
    return { type: 'conflict', conflicts: outcome.conflicts.map((it) => ({ ...it, key: keyText(it.key) })) }
  })
}

function plainRows(rows: ReadonlyMap<string, StoredRow>) {
  return [...rows]
    .map(([key, { value, encoding, types, version, expiresAt }]) => {
      const text = typeof value === 'string' ? value : Buffer.from(value).toString('hex')
      return [key, text, encoding, types, version, expiresAt]
    })
    .toSorted()
}
