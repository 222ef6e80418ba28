import { KeyExistsError, KvU64, NotFoundError, ValidationError, Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect } from 'vitest'
import { z } from 'zod'
import type { Cases } from '../suite.ts'
import { alice, bob, schemas } from './schemas.ts'

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

export const repositoryCases: Cases = {
  'an id whose key belongs to a more specific pattern is refused, in a unit of work too': async (place) => {
    await using db = await schemas.open(place.path())
    const { users, root } = db.repositories
    await root.set(alice)
    const refused = {
      name: 'TypeError',
      message: `The key ["users","root"] belongs to 'root', because its pattern is more specific than ["users","*"] of 'users': use that repository`,
    }
    const calls = [
      () => users.get('root'),
      () => users.getMany(['bob', 'root']),
      () => users.exists('root'),
      () => users.set('root', bob),
      () => users.insert('root', bob),
      () => users.insertMany([['root', bob]]),
      () => users.upsert('root', { create: bob, update: bob }),
      () => users.update('root', { age: 31 }),
      () => users.touch('root', { expireIn: 60_000 }),
      () => users.delete('root'),
      () => db.unitOfWork((unit) => unit.repositories.users.get('root')),
    ]
    for (const call of calls) await expect(call()).rejects.toMatchObject(refused)
    expect(() => users.key('root')).toThrow(refused.message)
    expect(() => users.watch('root')).toThrow(refused.message)
    expect((await root.get()).value).toStrictEqual(alice)
    expect((await users.get('alice')).value).toBeNull()
  },

  'a row is identified by its id: none, one part or a tuple': async (place) => {
    await using db = await schemas.open(place.path())
    const { site, users, posts } = db.repositories
    const stamps = [
      await site.set({ title: 'Home' }),
      await users.set('alice', alice),
      await posts.set(['alice', 1], { title: 'First' }),
    ].map(({ versionstamp }) => versionstamp)
    expect(await site.get()).toStrictEqual({
      id: undefined,
      key: ['site'],
      value: { title: 'Home', visits: 0 },
      versionstamp: stamps[0],
      expiresAt: null,
    })
    expect(await users.get('alice')).toStrictEqual({
      id: 'alice',
      key: ['users', 'alice'],
      value: alice,
      versionstamp: stamps[1],
      expiresAt: null,
    })
    expect(await posts.get(['alice', 1])).toStrictEqual({
      id: ['alice', 1],
      key: ['users', 'alice', 'posts', 1],
      value: { title: 'First' },
      versionstamp: stamps[2],
      expiresAt: null,
    })
    expect(await posts.get(['alice', 1n])).toStrictEqual({
      id: ['alice', 1n],
      key: ['users', 'alice', 'posts', 1n],
      value: null,
      versionstamp: null,
      expiresAt: null,
    })
  },

  'key gives the key of an id': async (place) => {
    await using db = await schemas.open(place.path())
    expect(db.repositories.site.key()).toStrictEqual(['site'])
    expect(db.repositories.users.key('alice')).toStrictEqual(['users', 'alice'])
    expect(db.repositories.posts.key(['alice', 1])).toStrictEqual(['users', 'alice', 'posts', 1])
  },

  'repositories are found by name, by pattern and by definition': async (place) => {
    const notes = defineSchema(['notes', '*'], z.string())
    await using db = await schemas.withSchemas([notes]).open(place.path())
    expect(db.repository(['users', '*'])).toBe(db.repositories.users)
    expect(db.repository(notes)).toBe(db.repositories.notes)
    expect(db.repositories.posts.name).toBe('posts')
    expect(db.repositories.posts.pattern).toStrictEqual(['users', '*', 'posts', '*'])
    expect(() => db.repository(['other', '*'] as never)).toThrow(TypeError)
    expect(() => db.repository(defineSchema(['notes', '*'], z.string()) as never)).toThrow(TypeError)
  },

  'a method works without its repository': async (place) => {
    await using db = await schemas.open(place.path())
    const { get, set } = db.repositories.site
    await set.call(db.repositories.site, { title: 'a' })
    expect((await get.call(db.repositories.site)).value).toStrictEqual({ title: 'a', visits: 0 })
  },

  'getMany keeps the order of the ids, with nulls for missing rows': async (place) => {
    await using db = await schemas.open(place.path())
    const { users, posts } = db.repositories
    await users.set('alice', alice)
    await posts.set(['alice', 1], { title: 'First' })
    const rows = await users.getMany(['bob', 'alice', 'alice'])
    expect(rows.map(({ id, value }) => [id, value])).toStrictEqual([
      ['bob', null],
      ['alice', alice],
      ['alice', alice],
    ])
    expect((await posts.getMany([['alice', 1]]))[0]).toMatchObject({
      id: ['alice', 1],
      value: { title: 'First' },
    })
    expect(await users.getMany([])).toStrictEqual([])
  },

  'insert writes a new row and refuses an existing one': async (place) => {
    await using db = await schemas.open(place.path())
    const { users, site } = db.repositories
    expect(await users.insert('alice', alice)).toMatchObject({ ok: true })
    const error = await users.insert('alice', bob).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(KeyExistsError)
    expect(error).toMatchObject({ code: 'KEY_EXISTS', key: ['users', 'alice'] })
    expect((await users.get('alice')).value).toStrictEqual(alice)
    await site.insert({ title: 'Home' })
    await expect(site.insert({ title: 'Home' })).rejects.toThrow(KeyExistsError)
  },

  'of inserts of one id at the same time, one succeeds': async (place) => {
    await using db = await schemas.open(place.path())
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => db.repositories.users.insert('alice', alice)),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  },

  'create makes a UUIDv7 that sorts by time': async (place) => {
    await using db = await schemas.open(place.path())
    const { users, posts, site } = db.repositories
    const created = []
    for (let i = 0; i < 20; i++) created.push(await users.create({ name: String(i), age: i }))
    const ids = created.map(({ id }) => id as string)
    for (const id of ids) expect(id).toMatch(uuidV7)
    expect(ids).toStrictEqual(ids.toSorted())
    expect(new Set(ids).size).toBe(20)
    expect(created[3]).toMatchObject({ ok: true, key: ['users', ids[3]] })
    expect((await users.get(ids[3]!)).value).toStrictEqual({ name: '3', age: 3 })

    const { id, key } = await posts.create({ title: 'a' }, { prefix: ['alice'] })
    expect(id).toStrictEqual(['alice', expect.stringMatching(uuidV7)])
    expect(key).toStrictEqual(['users', 'alice', 'posts', id[1]])
    await expect(posts.create({ title: 'a' }, undefined as never)).rejects.toThrow(TypeError)
    await expect(posts.create({ title: 'a' }, { prefix: ['a', 'b'] as never })).rejects.toThrow(TypeError)
    await expect(site.create({ title: 'a' })).rejects.toThrow(TypeError)
  },

  'delete reports whether there was a row': async (place) => {
    await using db = await schemas.open(place.path())
    const { users, site } = db.repositories
    await users.set('alice', alice)
    await site.set({ title: 'a' })
    expect([await users.delete('alice'), await users.delete('alice')]).toStrictEqual([true, false])
    expect([await site.delete(), await site.delete()]).toStrictEqual([true, false])
  },

  'exists reports whether there is a row': async (place) => {
    await using db = await schemas.open(place.path())
    const { users, site } = db.repositories
    await users.set('alice', alice)
    expect([await users.exists('alice'), await users.exists('bob'), await site.exists()]).toStrictEqual([
      true,
      false,
      false,
    ])
  },

  'touch of a missing row is a NotFoundError': async (place) => {
    await using db = await schemas.open(place.path())
    const error = await db.repositories.users.touch('alice', { expireIn: 1_000 }).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(NotFoundError)
    expect(error).toMatchObject({ code: 'NOT_FOUND', key: ['users', 'alice'] })
  },

  'touch changes the versionstamp and not the value': async (place) => {
    await using db = await schemas.open(place.path())
    const { users, site } = db.repositories
    const before = await users.set('alice', alice)
    const { versionstamp } = await users.touch('alice', { expireIn: 60_000 })
    expect(versionstamp > before.versionstamp).toBe(true)
    expect(await users.get('alice')).toMatchObject({ value: alice, versionstamp })
    await site.set({ title: 'a' })
    expect(await site.touch({ expireIn: null })).toMatchObject({ ok: true })
  },

  'sum, max and min work on a KvU64': async (place) => {
    await using db = await schemas.withSchema(['total'], z.instanceof(KvU64)).open(place.path())
    const { counters, total } = db.repositories
    await counters.sum('a', 5n)
    await counters.sum('a', new KvU64(5n))
    await counters.sum('a', -3n)
    expect((await counters.get('a')).value).toStrictEqual(new KvU64(7n))
    await counters.max('a', 9n)
    await counters.min('a', 8n)
    expect((await counters.get('a')).value).toStrictEqual(new KvU64(8n))
    await expect(counters.sum('a', -9n)).rejects.toThrow(RangeError)
    expect((await counters.get('a')).value).toStrictEqual(new KvU64(8n))
    await total.sum(1n)
    await total.max(3n)
    await total.min(2n)
    expect((await total.get()).value).toStrictEqual(new KvU64(2n))
    expect(await counters.count()).toBe(1)
  },

  'sums at the same time are all counted': async (place) => {
    await using db = await schemas.open(place.path())
    await Promise.all(Array.from({ length: 500 }, () => db.repositories.counters.sum('a', 2n)))
    expect((await db.repositories.counters.get('a')).value).toStrictEqual(new KvU64(1_000n))
  },

  'what the schema outputs is what is stored': async (place) => {
    const event = z.object({
      at: z.iso.datetime().transform((text) => new Date(text)),
      tags: z.string().transform((text) => text.split(',')),
      note: z.string().trim().default('none'),
    })
    await using db = await Valkeyrie.withSchema(['events', '*'], event).open(place.path())
    const { events } = db.repositories
    const output = { at: new Date('2024-01-02T03:04:05Z'), tags: ['a', 'b'], note: 'none' }
    await events.set(1, { at: '2024-01-02T03:04:05Z', tags: 'a,b' })
    expect((await events.get(1)).value).toStrictEqual(output)
    expect((await db.get(['events', 1])).value).toStrictEqual(output)
    await db.set(['events', 2], { at: '2024-01-02T03:04:05Z', tags: 'a,b', note: ' x ' })
    expect((await events.get(2)).value?.note).toBe('x')
    await events.update(1, { tags: 'a,b,c' })
    expect((await events.get(1)).value).toStrictEqual({ ...output, tags: ['a', 'b', 'c'] })
  },

  'an asynchronous schema is awaited': async (place) => {
    const even = z.int().refine(async (n) => n % 2 === 0)
    await using db = await Valkeyrie.withSchema(['even', '*'], even).open(place.path())
    const repository = db.repositories.even
    await Promise.all([repository.set('a', 2), repository.insert('b', 4), db.set(['even', 'c'], 6)])
    await db.atomic().set(['even', 'd'], 8).commit()
    await repository.insertMany([['e', 10]])
    await repository.update('a', (n) => n + 2)
    const rows = await Array.fromAsync(repository.list())
    expect(rows.map(({ value }) => value)).toStrictEqual([4, 4, 6, 8, 10])
    const writes: (() => Promise<unknown>)[] = [
      () => repository.set('a', 1),
      () => repository.insert('z', 1),
      () => repository.create(1),
      () => repository.update('a', (n) => n + 1),
      () => repository.insertMany([['z', 1]]),
      () => db.set(['even', 'z'], 1),
      () => db.atomic().set(['even', 'y'], 2).set(['even', 'z'], 1).commit(),
    ]
    for (const write of writes) await expect(write()).rejects.toThrow(ValidationError)
    expect(await repository.count()).toBe(5)
  },

  'the most specific pattern judges a value': async (place) => {
    await using db = await Valkeyrie.withSchema(['a', '*', '*'], z.literal('low'), { name: 'low' })
      .withSchema(['a', '*', 'c'], z.literal('middle'), { name: 'middle' })
      .withSchema(['a', 'b', '*'], z.literal('high'), { name: 'high' })
      .open(place.path())
    const { low, middle, high } = db.repositories
    await db.set(['a', 'b', 'c'], 'high')
    await db.set(['a', 'x', 'c'], 'middle')
    await db.set(['a', 'x', 'y'], 'low')
    await expect(db.set(['a', 'b', 'c'], 'middle' as never)).rejects.toThrow(ValidationError)
    expect([await low.count(), await middle.count(), await high.count()]).toStrictEqual([1, 1, 1])
    expect(await Array.fromAsync(low.list())).toMatchObject([{ id: ['x', 'y'], value: 'low' }])
  },

  'a value that its schema refuses is a ValidationError with the issues': async (place) => {
    await using db = await schemas.open(place.path())
    const { users } = db.repositories
    const error = await users.set('alice', { name: 'Alice', age: 'x' } as never).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(ValidationError)
    expect(error).toMatchObject({ code: 'VALIDATION', key: ['users', 'alice'], issues: [{ path: ['age'] }] })
    expect(await users.exists('alice')).toBe(false)
  },

  'keys that no pattern matches take any value': async (place) => {
    await using db = await schemas.open(place.path())
    await db.set(['users', 'alice', 'x'], 1)
    await db.set(['users'], 'any')
    expect((await db.get(['users'])).value).toBe('any')
    expect(await db.repositories.users.count()).toBe(0)
  },

  'insertMany inserts from iterables of both kinds, in commits of 1,000': async (place) => {
    await using db = await schemas.open(place.path())
    const { users } = db.repositories
    const progress: number[] = []
    const items = (function* () {
      for (let i = 0; i < 2_500; i++) yield [i, { name: String(i), age: i }] as const
    })()
    const onProgress = (inserted: number) => progress.push(inserted)
    expect(await users.insertMany(items, { onProgress })).toStrictEqual({ ok: true, count: 2_500 })
    expect(progress).toStrictEqual([1_000, 2_000, 2_500])
    const later = (async function* () {
      yield ['a', alice] as const
      yield ['b', bob] as const
    })()
    expect(await users.insertMany(later)).toStrictEqual({ ok: true, count: 2 })
    expect(await users.insertMany([])).toStrictEqual({ ok: true, count: 0 })
    expect(await users.count()).toBe(2_502)
    expect((await users.get(2_499)).value).toStrictEqual({ name: '2499', age: 2_499 })
  },

  'insertMany refuses an existing or repeated id, and nothing of its batch is written': async (place) => {
    await using db = await schemas.open(place.path())
    const { users } = db.repositories
    await users.set('b', bob)
    for (const ids of [
      ['a', 'b', 'c'],
      ['x', 'y', 'x'],
    ]) {
      const error = await users.insertMany(ids.map((id) => [id, alice] as const)).catch((thrown) => thrown)
      expect(error).toBeInstanceOf(KeyExistsError)
      expect(error.key).toStrictEqual(['users', ids[0] === 'a' ? 'b' : 'x'])
    }
    await expect(
      users.insertMany([
        ['a', alice],
        ['c', { name: 1 } as never],
      ]),
    ).rejects.toThrow(ValidationError)
    expect((await Array.fromAsync(users.list())).map(({ id }) => id)).toStrictEqual(['b'])
  },

  'insertMany commits fewer rows if they are large': async (place) => {
    await using db = await schemas.open(place.path())
    const progress: number[] = []
    const name = 'x'.repeat(50_000)
    const items = Array.from({ length: 40 }, (_, i) => [i, { ...alice, name }] as const)
    await db.repositories.users.insertMany(items, { onProgress: (inserted) => progress.push(inserted) })
    expect(progress).toStrictEqual([21, 40])
  },

  'insertMany keeps the batches before the one that fails': async (place) => {
    await using db = await schemas.open(place.path())
    const { users } = db.repositories
    const items = Array.from({ length: 1_500 }, (_, i) => [i === 1_400 ? 0 : i, alice] as const)
    await expect(users.insertMany(items)).rejects.toThrow(KeyExistsError)
    expect(await users.count()).toBe(1_000)
  },

  'insertMany ends between two batches when its signal is aborted': async (place) => {
    await using db = await schemas.open(place.path())
    const { users } = db.repositories
    const controller = new AbortController()
    const reason = new Error('enough')
    let ended = false
    const items = (function* () {
      try {
        for (let i = 0; ; i++) yield [i, alice] as const
      } finally {
        ended = true
      }
    })()
    const inserting = users.insertMany(items, {
      signal: controller.signal,
      onProgress: (inserted) => {
        if (inserted === 2_000) controller.abort(reason)
      },
    })
    await expect(inserting).rejects.toBe(reason)
    expect(ended).toBe(true)
    expect(await users.count()).toBe(2_000)
    await expect(users.insertMany([['z', alice]], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(await users.exists('z')).toBe(false)
  },

  'insertMany rejects with what its source throws': async (place) => {
    await using db = await schemas.open(place.path())
    const reason = new Error('source')
    const items = (async function* () {
      yield ['a', alice] as const
      throw reason
    })()
    await expect(db.repositories.users.insertMany(items)).rejects.toBe(reason)
    expect(await db.repositories.users.count()).toBe(0)
  },
}
