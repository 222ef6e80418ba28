import keyvTestSuite, { keyvIteratorTests } from '@keyv/test-suite'
import Keyv from 'keyv'
import Keyv6 from 'keyv6'
import { Valkeyrie } from 'valkeyrie'
import { keyvStore } from 'valkeyrie/keyv'
import * as vitest from 'vitest'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { newAddress } from '../engine-of-project.ts'
import { stillClock } from '../still-clock.ts'

let db: Valkeyrie
beforeAll(async () => {
  db = await Valkeyrie.open(newAddress())
})
beforeEach(() => db.clear())
afterAll(() => db.close())

describe('the suite that Keyv publishes', () => {
  // Its types come from another release of Vitest.
  const runner = vitest as never
  keyvTestSuite(runner, Keyv, () => keyvStore(db))
  keyvIteratorTests(runner, Keyv, () => keyvStore(db))
})

/** Each major opens one, with the types of Keyv 5: their calls are the same. */
const majors: readonly [name: string, open: (namespace: string) => Keyv][] = [
  ['Keyv 5', (namespace) => new Keyv({ store: keyvStore(db), namespace })],
  ['Keyv 6', (namespace) => new Keyv6({ store: keyvStore(db), namespace }) as never],
]

describe.each(majors)('%s', (_, open) => {
  it('keeps a value for its ttl, and the row is gone with it', async () => {
    const clock = stillClock()
    // So long that nothing sweeps the row away before the test does.
    const hour = 3_600_000
    const keyv = open('n')
    await keyv.set('short', 1, hour)
    await keyv.set('long', 2, 2 * hour)
    await keyv.set('ever', 3)
    clock.advance(hour + 1_000)
    expect(await keyv.get('short')).toBeUndefined()
    expect(await keyv.get('long')).toBe(2)
    expect(await db.cleanup()).toBe(1)
    clock.advance(hour + 1_000)
    expect(await keyv.has('long')).toBe(false)
    expect(await keyv.has('ever')).toBe(true)
  })

  it('reads, writes and deletes many', async () => {
    const keyv = open('n')
    const written = await keyv.setMany([
      { key: 'a', value: { n: 1 } },
      { key: 'b', value: 'two', ttl: 60_000 },
    ])
    expect(written).toEqual([true, true])
    expect(await keyv.getMany(['b', 'none', 'a'])).toEqual(['two', undefined, { n: 1 }])
    expect(await keyv.hasMany(['b', 'none'])).toEqual([true, false])
    await keyv.deleteMany(['a', 'none'])
    expect(await keyv.getMany(['a', 'b'])).toEqual([undefined, 'two'])
  })

  it('clears its namespace, and nothing else below the prefix or beside it', async () => {
    // One is a prefix of another, and a third sorts right after the separator.
    const [short, long, other] = [open('n'), open('n:m'), open('n;')]
    for (const keyv of [short, long, other]) await keyv.set('k', 'v')
    await db.set(['keyv', 'another', 'shape'], 1)
    await db.set(['beside'], 1)
    await long.clear()
    expect(await long.get('k')).toBeUndefined()
    expect(await other.get('k')).toBe('v')
    await other.clear()
    expect(await short.get('k')).toBe('v')
    expect((await db.getMany([['keyv', 'another', 'shape'], ['beside']])).map(({ value }) => value)).toEqual([
      1, 1,
    ])
  })

  it('iterates over more than a page of its namespace', async () => {
    const [one, two] = [open('one'), open('two')]
    await one.setMany(Array.from({ length: 1_500 }, (_, i) => ({ key: `k${i}`, value: i })))
    await two.set('k', 'other')
    const found = new Map<string, number>()
    for await (const [key, value] of one.iterator!(undefined)) found.set(key, value)
    expect(found.size).toBe(1_500)
    expect(found.get('k1499')).toBe(1_499)
  })

  it('clears thousands of rows', async () => {
    const keyv = open('n')
    await keyv.setMany(Array.from({ length: 2_500 }, (_, i) => ({ key: `k${i}`, value: i })))
    await keyv.clear()
    expect(await Array.fromAsync(db.list({ prefix: [] }))).toEqual([])
  })

  it('leaves the database open', async () => {
    await open('n').disconnect()
    await db.set(['open'], true)
  })
})

it('without a serializer, stores what the database stores', async () => {
  const keyv = new Keyv<unknown>({
    store: keyvStore(db),
    serialize: undefined as never,
    deserialize: undefined as never,
  })
  const value = { at: new Date(0), tags: new Set(['a']), big: 7n }
  await keyv.set('k', value)
  expect(await keyv.get('k')).toEqual(value)
})

it('a ttl means what it means to the memory of Keyv, however long or short', async () => {
  const clock = stillClock()
  for (const ttl of [Number.MAX_SAFE_INTEGER, 1e16, 8e15, Infinity, Number.NaN, 0, 0.5, -1]) {
    const [memory, stored] = [new Keyv(), new Keyv({ store: keyvStore(db) })]
    for (const keyv of [memory, stored]) keyv.on('error', (error) => expect(error).toBeUndefined())
    const seen = async (keyv: Keyv) => {
      const set = await keyv.set('k', 1, ttl)
      const now = await keyv.get('k')
      clock.advance(1_000)
      const then = [await keyv.get('k'), await keyv.has('k')]
      await keyv.setMany([{ key: 'm', value: 2, ttl }])
      return [set, now, then, await keyv.get('m')]
    }
    expect([ttl, await seen(stored)]).toEqual([ttl, await seen(memory)])
    await db.clear()
  }
})

it('an infinite ttl keeps the value, and one in the past removes it', async () => {
  const store = keyvStore(db)
  await store.set('k', 'v', Number.POSITIVE_INFINITY)
  expect(await store.get('k')).toBe('v')
  await store.set('k', 'v', -1)
  expect(await store.has!('k')).toBe(false)
})

it('when many delete a value at once, one learns that it existed', async () => {
  const store = keyvStore(db)
  await store.set('k', 'v')
  const told = await Promise.all(Array.from({ length: 10 }, () => store.delete('k')))
  expect(told.filter(Boolean)).toEqual([true])
})

it('writes all of setMany or nothing', async () => {
  const store = keyvStore(db)
  await expect(
    store.setMany!([
      { key: 'a', value: 1 },
      { key: 'b', value: () => {} },
    ]),
  ).rejects.toThrow(TypeError)
  expect(await store.has!('a')).toBe(false)
})

it('a failure of the database is an error of Keyv, not a miss', async () => {
  const closed = await Valkeyrie.open(newAddress())
  const keyv = new Keyv({ store: keyvStore(closed), throwOnErrors: true })
  const told: unknown[] = []
  keyv.on('error', (error) => told.push(error))
  await closed.close()
  await expect(keyv.get('k')).rejects.toThrow('Database is closed')
  await expect(keyv.set('k', 1)).rejects.toThrow('Database is closed')
  expect(told).toHaveLength(1)
})

it('takes a database with schemas, and keeps to its prefix', async () => {
  await using users = await Valkeyrie.withSchema(['users', '*'], z.object({ name: z.string() })).open(
    newAddress(),
  )
  const keyv = new Keyv({ store: keyvStore(users, { prefix: ['cache', 1] }) })
  await keyv.set('a', 1)
  expect(await Array.fromAsync(users.list({ prefix: [] }), ({ key }) => key)).toEqual([
    ['cache', 1, 'keyv:a'],
  ])
})

it('refuses anything but a database, and an invalid prefix', () => {
  expect(() => keyvStore({} as never)).toThrow('keyvStore takes an open database')
  expect(() => keyvStore(undefined as never)).toThrow(TypeError)
  expect(() => keyvStore(db, { prefix: [] })).toThrow("as ['cache']")
  expect(() => keyvStore(db, { prefix: 'cache' as never })).toThrow(TypeError)
  expect(() => keyvStore(db, { prefix: [{}] as never })).toThrow(TypeError)
  expect(() => keyvStore(db, { prefx: ['a'] } as never)).toThrow("did you mean 'prefix'")
})
