import { KvU64, UniqueConstraintError, Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import { z } from 'zod'
import type { Cases } from '../suite.ts'
import { alice, bob, schemas } from './schemas.ts'

export const commitOrderCases: Cases = {
  '1,000 sets of one turn each have their own versionstamp, in the order of the calls': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const results = await Promise.all(Array.from({ length: 1_000 }, (_, i) => db.set(['n', i], i)))
    const stamps = results.map(({ versionstamp }) => versionstamp)
    expect(new Set(stamps).size).toBe(1_000)
    expect(stamps).toStrictEqual(stamps.toSorted())
    const entries = await Array.fromAsync(db.list({ prefix: ['n'] }))
    expect(entries.map(({ versionstamp }) => versionstamp)).toStrictEqual(stamps)
  },

  'the last write of a key in a turn is the one that stays': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const writes: Promise<unknown>[] = []
    for (let i = 0; i < 100; i++) writes.push(db.set(['a'], i), db.delete(['b']), db.set(['b'], i))
    writes.push(db.delete(['b']))
    await Promise.all(writes)
    expect((await db.get(['a'])).value).toBe(99)
    expect((await db.get(['b'])).versionstamp).toBeNull()
  },

  'calls of every face take effect in the order in which they are made': async (place) => {
    await using db = await schemas.open(place.path())
    const { users, counters } = db.repositories
    await Promise.all([users.set('alice', alice), users.delete('alice')])
    expect(await users.exists('alice')).toBe(false)
    await Promise.all([users.set('alice', alice), db.set(['users', 'alice'], bob)])
    expect((await users.get('alice')).value).toStrictEqual(bob)
    await Promise.all([db.delete(['users', 'alice']), users.insert('alice', alice)])
    await Promise.all([
      counters.sum('a', 5n),
      db.atomic().max(['counters', 'a'], 3n).commit(),
      counters.sum('a', -1n),
    ])
    expect((await counters.get('a')).value).toStrictEqual(new KvU64(4n))
  },

  'a call that reads before it writes finds what the calls before it have left': async (place) => {
    await using db = await schemas.open(place.path())
    const { users } = db.repositories
    const age = async () => (await users.get('alice')).value?.age ?? null
    for (let round = 0; round < 10; round++) {
      await Promise.all([users.set('alice', alice), users.update('alice', { age: 50 })])
      expect(await age()).toBe(50)
      await users.delete('alice')
      const { signal } = new AbortController()
      await Promise.all([users.set('alice', alice), users.update('alice', { age: 49 }, { signal })])
      expect(await age()).toBe(49)
      await Promise.all([users.set('alice', alice), users.updateMany({ where: {}, set: { age: 51 } })])
      expect(await age()).toBe(51)
      const [, { created }] = await Promise.all([
        users.set('alice', alice),
        users.upsert('alice', { create: bob, update: { age: 52 } }),
      ])
      expect([created, await age()]).toStrictEqual([false, 52])
      const claim = { where: { age: alice.age }, limit: 1, set: { age: 53 } }
      await Promise.all([users.set('alice', alice), users.claimMany(claim)])
      expect(await age()).toBe(53)
      await Promise.all([users.set('alice', alice), users.deleteMany({ where: {} })])
      expect(await age()).toBeNull()
      await Promise.all([users.set('alice', alice), users.update('alice', { age: 54 })])
      const calls = [users.delete('alice'), users.update('alice', { age: 55 })] as const
      const [, refused] = await Promise.allSettled(calls)
      expect(refused).toMatchObject({ reason: { code: 'NOT_FOUND' } })
    }
  },

  'a write that fails leaves the others of its turn alone': async (place) => {
    await using db = await Valkeyrie.withSchema(['people', '*'], z.object({ email: z.string() }), {
      indexes: [{ on: 'email', unique: true }],
    }).open(place.path())
    const { people } = db.repositories
    await people.set('taken', { email: 'a@b.c' })
    const results = await Promise.allSettled([
      db.set(['n', 0], 0),
      people.set('clash', { email: 'a@b.c' }),
      db.set(['n', 1], 1),
      db.atomic().set(['never'], 1).sum(['u'], -1n).commit(),
      db.set(['n', 2], 2),
      db
        .atomic()
        .check({ key: ['n', 2], versionstamp: null })
        .set(['never'], 1)
        .commit(),
      db.set(['n', Number.NaN], 1),
      db.set(['n', 3], () => {}),
      people.set('fine', { email: 'd@e.f' }),
      db.atomic().set(['people', 'x'], { email: 'x@x.x' }).set(['people', 'y'], { email: 'x@x.x' }).commit(),
      db.set(['n', 4], 4),
    ])
    expect(results.map(({ status }) => status[0])).toStrictEqual([...'frfrffrrfrf'])
    expect((results[1] as PromiseRejectedResult).reason).toBeInstanceOf(UniqueConstraintError)
    expect((results[3] as PromiseRejectedResult).reason).toBeInstanceOf(RangeError)
    expect(results[5]).toMatchObject({ value: { ok: false } })
    const entries = await Array.fromAsync(db.list({ prefix: [] }))
    expect(entries.map(({ key }) => key)).toStrictEqual([
      ['n', 0],
      ['n', 1],
      ['n', 2],
      ['n', 4],
      ['people', 'fine'],
      ['people', 'taken'],
    ])
    const stamps = [results[0], results[2], results[4], results[8], results[10]].map(
      (result) => (result as PromiseFulfilledResult<{ versionstamp: string }>).value.versionstamp,
    )
    expect(stamps).toStrictEqual(stamps.toSorted())
    expect(new Set(stamps).size).toBe(stamps.length)
  },
}
