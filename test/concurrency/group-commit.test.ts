import fc from 'fast-check'
import { KvU64, UniqueConstraintError, Valkeyrie } from 'valkeyrie'
import { expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { extent } from '../extent.ts'
import { stillClock } from '../still-clock.ts'
import { newDatabasePath } from './temporary-folder.ts'

async function open() {
  const db = await Valkeyrie.withSchema(['users', '*'], z.object({ email: z.string() }), {
    name: 'users',
    indexes: [{ on: 'email', unique: true }],
  })
    .withSchema(['counters', '*'], z.instanceof(KvU64), { name: 'counters' })
    .open(newDatabasePath())
  onTestFinished(() => db.close())
  return { db }
}

it('1,000 concurrent sum(1n) give 1,000', async () => {
  const { db } = await open()
  const results = await Promise.all(
    Array.from({ length: 1_000 }, () => db.repositories.counters.sum('a', 1n)),
  )
  expect((await db.repositories.counters.get('a')).value?.value).toBe(1_000n)
  expect(new Set(results.map(({ versionstamp }) => versionstamp)).size).toBe(1_000)
})

it('three concurrent check(null) commits on one key have one winner', async () => {
  const { db } = await open()
  const results = await Promise.all(
    ['a', 'b', 'c'].map((value) =>
      db
        .atomic()
        .check({ key: ['one'], versionstamp: null })
        .set(['one'], value)
        .commit(),
    ),
  )
  const [winner, ...losers] = results
  expect(winner).toMatchObject({ ok: true })
  const { value, versionstamp } = await db.get(['one'])
  expect(value).toBe('a')
  const conflicts = [{ key: ['one'], expected: null, actual: versionstamp }]
  expect(losers).toEqual([
    { ok: false, conflicts },
    { ok: false, conflicts },
  ])
})

it('a write that was acknowledged is never lost when another of the same turn throws or conflicts', async () => {
  const { db } = await open()
  const { users, counters } = db.repositories
  await users.set('taken', { email: 'taken' })
  await counters.set('three', new KvU64(3n))
  const [first, unique, middle, below, check, another, kind, last] = await Promise.allSettled([
    db.set(['first'], 1),
    db.atomic().set(['half'], 1).set(['users', 'x'], { email: 'taken' }).set(['half', 2], 1).commit(),
    db.set(['middle'], 1),
    db.atomic().set(['half'], 1).sum(['counters', 'three'], -5n).commit(),
    db
      .atomic()
      .check({ key: ['first'], versionstamp: null })
      .set(['half'], 1)
      .commit(),
    users.set('other', { email: 'other' }),
    db.atomic().set(['half'], 1).sum(['first'], 1n).commit(),
    db.set(['last'], 1),
  ])
  const value = { ok: true, versionstamp: expect.any(String) }
  expect([first, middle, another, last]).toEqual(Array(4).fill({ status: 'fulfilled', value }))
  expect(unique).toMatchObject({ status: 'rejected', reason: expect.any(UniqueConstraintError) })
  expect(below).toMatchObject({ status: 'rejected', reason: expect.any(RangeError) })
  expect(kind).toMatchObject({ status: 'rejected', reason: expect.any(TypeError) })
  expect(check).toMatchObject({ status: 'fulfilled', value: { ok: false } })
  const there = await db.getMany([['first'], ['middle'], ['last'], ['half'], ['half', 2]])
  expect(there.map((entry) => entry.value)).toEqual([1, 1, 1, null, null])
  expect((await users.get('other')).value).toEqual({ email: 'other' })
  expect((await counters.get('three')).value?.value).toBe(3n)
})

it('a batch of inserts that meets an existing value leaves nothing in rows or log, and its neighbours are committed', async () => {
  const clock = stillClock()
  await using db = await Valkeyrie.withSchema(['items', '*'], z.number(), { name: 'items' }).open()
  const { items } = db.repositories
  await items.set('b', 0)
  const { versionstamp: since } = await items.set('dead', 0, { expireIn: 60_000 })
  clock.advance(60_000)
  const rows = (...ids: string[]) => ids.map((id) => [id, 1] as const)
  const [before, refused, after, over] = await Promise.allSettled([
    items.insert('first', 1),
    items.insertMany(rows('a', 'b', 'c')),
    items.insert('a', 2),
    items.insertMany(rows('dead', 'd')),
  ])
  expect([before.status, after.status, over.status]).toEqual(Array(3).fill('fulfilled'))
  expect(refused).toMatchObject({ reason: { code: 'KEY_EXISTS', key: ['items', 'b'] } })
  const entries = await Array.fromAsync(items.list())
  expect(entries.map(({ id, value }) => [id, value])).toEqual([
    ['a', 2],
    ['b', 0],
    ['d', 1],
    ['dead', 1],
    ['first', 1],
  ])
  const changed: string[] = []
  for await (const { type, id } of items.changes({ since })) {
    if (type === 'set') changed.push(id as string)
    if (id === 'd') break
  }
  expect(changed).toEqual(['first', 'a', 'dead', 'd'])
})

it('order of calls is order of commits, of every kind of write', async () => {
  const { db } = await open()
  const { users } = db.repositories
  const results = await Promise.all([
    db.set(['a'], 1),
    users.insert('a', { email: 'a' }),
    db.atomic().set(['a'], 2).commit(),
    users.set('b', { email: 'b' }),
    db.repositories.counters.sum('c', 1n),
    db.set(['a'], 3),
  ])
  const versions = results.map((result) => (result.ok ? result.versionstamp : ''))
  expect(versions).toEqual(versions.toSorted())
  expect(new Set(versions).size).toBe(versions.length)
  expect((await db.get(['a'])).value).toBe(3)
})

it('clear takes its turn among the writes', async () => {
  const { db } = await open()
  await Promise.all([db.set(['before'], 1), db.clear(), db.set(['after'], 1)])
  expect((await Array.fromAsync(db.list({ prefix: [] }))).map(({ key }) => key)).toEqual([['after']])
})

it('closing settles the writes that were begun, and refuses those that come later', async () => {
  const path = newDatabasePath()
  const db = await Valkeyrie.open(path)
  const begun = db.set(['begun'], 1)
  const closing = db.close()
  await expect(db.set(['late'], 1)).rejects.toThrow('Database is closed')
  await expect(begun).resolves.toMatchObject({ ok: true })
  await closing
  await using again = await Valkeyrie.open(path)
  expect((await again.getMany([['begun'], ['late']])).map(({ value }) => value)).toEqual([1, null])
})

type Call =
  | { readonly type: 'set'; readonly key: number; readonly value: number }
  | { readonly type: 'sum'; readonly key: number; readonly n: bigint }
  | { readonly type: 'insert'; readonly key: number; readonly value: number }
  | { readonly type: 'delete'; readonly key: number }

const key = fc.integer({ min: 0, max: 3 })
const call: fc.Arbitrary<Call> = fc.oneof(
  fc.record({ type: fc.constant('set' as const), key, value: fc.nat(9) }),
  fc.record({ type: fc.constant('sum' as const), key, n: fc.bigInt({ min: -3n, max: 3n }) }),
  fc.record({ type: fc.constant('insert' as const), key, value: fc.nat(9) }),
  fc.record({ type: fc.constant('delete' as const), key }),
)

it('calls of one turn do what they would do one after the other', async () => {
  const run = async (calls: readonly Call[], inTurn: boolean) => {
    await using db = await Valkeyrie.withSchema(['items', '*'], z.number(), { name: 'items' })
      .withSchema(['counters', '*'], z.instanceof(KvU64), { name: 'counters' })
      .open()
    const { items, counters } = db.repositories
    const perform = async (it: Call) => {
      if (it.type === 'set') return items.set(String(it.key), it.value)
      if (it.type === 'insert') return items.insert(String(it.key), it.value)
      if (it.type === 'delete') return items.delete(String(it.key))
      return counters.sum(String(it.key), it.n)
    }
    const settle = (it: Call) => perform(it).catch((error: Error) => [error.name, error.message])
    const results: unknown[] = []
    if (inTurn) results.push(...(await Promise.all(calls.map(settle))))
    else for (const it of calls) results.push(await settle(it))
    return { results, rows: await Array.fromAsync(db.list({ prefix: [] })) }
  }
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 12 }), async (calls) => {
      expect(await run(calls, true)).toEqual(await run(calls, false))
    }),
    { numRuns: extent('turns', 20, 60) },
  )
})
