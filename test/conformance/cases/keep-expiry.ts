import { Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import { z } from 'zod'
import type { Cases } from '../suite.ts'
import { withClock } from './clock.ts'
import { alice, schemas } from './schemas.ts'

const hour = 3_600_000
const keepExpiry = true

export const keepExpiryCases: Cases = {
  'a set with keepExpiry keeps the expiry of the value that it replaces': async (place) => {
    await using db = await schemas.open(place.path())
    const { users, site } = db.repositories
    const key = ['users', 'alice'] as const
    await users.set('alice', alice, { expireIn: hour })
    const { expiresAt } = await users.get('alice')
    expect(expiresAt).not.toBeNull()
    const writes: Record<string, () => Promise<unknown>> = {
      'check and set': async () =>
        db
          .atomic()
          .check(await db.get(key))
          .set(key, alice, { keepExpiry })
          .commit(),
      mutate: () => db.atomic().mutate({ type: 'set', key, value: alice, keepExpiry }).commit(),
      'two sets': () => db.atomic().set(key, alice, { keepExpiry }).set(key, alice, { keepExpiry }).commit(),
      'db.set': () => db.set(key, alice, { keepExpiry }),
      'users.set': () => users.set('alice', alice, { keepExpiry }),
      'with keepExpiry, and no expireIn': () => db.set(key, alice, { keepExpiry, expireIn: undefined }),
    }
    for (const [name, write] of Object.entries(writes)) {
      expect(await write(), name).toMatchObject({ ok: true })
      expect((await users.get('alice')).expiresAt, name).toBe(expiresAt)
    }
    await site.set({ title: 'a' }, { expireIn: hour })
    await site.set({ title: 'b' }, { keepExpiry })
    expect((await site.get()).expiresAt).toBeGreaterThan(Date.now())
    await users.set('alice', alice, { keepExpiry: false })
    expect((await users.get('alice')).expiresAt).toBeNull()
  },

  'without a value, or with an expired one, keepExpiry writes a value that never expires': (place) =>
    withClock(async (advance) => {
      await using db = await schemas.open(place.path())
      const missing = { key: ['gone'], versionstamp: null }
      await db.set(['new'], 1, { keepExpiry })
      await db.set(['gone'], 1, { expireIn: 1_000 })
      await db.set(['checked'], 1, { expireIn: 1_000 })
      advance(1_000)
      await db.atomic().check(missing).set(['gone'], 2, { keepExpiry }).commit()
      await db.atomic().delete(['checked']).set(['checked'], 2, { keepExpiry }).commit()
      advance(hour)
      for (const [key, value] of [
        ['new', 1],
        ['gone', 2],
        ['checked', 2],
      ] as const)
        expect(await db.get([key])).toMatchObject({ value, expiresAt: null })
    }),

  'the expiry kept is the one when it commits, whoever changed it last': async (place) => {
    await using db = await schemas.open(place.path())
    const { users } = db.repositories
    await users.set('alice', alice, { expireIn: hour })
    const touch = users.touch('alice', { expireIn: 2 * hour })
    const kept = users.set('alice', { ...alice, age: 31 }, { keepExpiry })
    await Promise.all([touch, kept])
    const { expiresAt, value } = await users.get('alice')
    expect(expiresAt).toBeGreaterThan(Date.now() + hour)
    expect(value?.age).toBe(31)
    await Promise.all([users.set('alice', alice, { keepExpiry }), users.touch('alice', { expireIn: null })])
    expect((await users.get('alice')).expiresAt).toBeNull()
  },

  'rows that swap unique values keep their own expiries': async (place) => {
    const schema = z.object({ email: z.string() })
    const indexes = [{ on: 'email', unique: true }] as const
    await using db = await Valkeyrie.withSchema(['people', '*'], schema, { indexes }).open(place.path())
    const { people } = db.repositories
    await people.set('a', { email: 'a' }, { expireIn: hour })
    await people.set('b', { email: 'b' }, { expireIn: 2 * hour })
    const before = (await people.getMany(['a', 'b'])).map(({ expiresAt }) => expiresAt)
    const swap = () =>
      db
        .atomic()
        .set(['people', 'a'], { email: 'b' }, { keepExpiry })
        .set(['people', 'b'], { email: 'a' }, { keepExpiry })
    await swap().commit()
    const after = await people.getMany(['a', 'b'])
    expect(after.map(({ value }) => value?.email)).toEqual(['b', 'a'])
    expect(after.map(({ expiresAt }) => expiresAt)).toEqual(before)
    await db.unitOfWork(async (unit) => {
      await unit.set(['people', 'a'], { email: 'a' }, { keepExpiry })
      await unit.repositories.people.touch('b', { expireIn: null })
      await unit.set(['people', 'b'], { email: 'b' }, { keepExpiry })
    })
    expect((await people.getMany(['a', 'b'])).map(({ expiresAt }) => expiresAt)).toEqual([before[0], null])
  },

  'in a unit of work, keepExpiry keeps what the unit itself has written': async (place) => {
    await using db = await schemas.open(place.path())
    const { users } = db.repositories
    for (const id of ['blind', 'read', 'touched', 'deleted']) await users.set(id, alice, { expireIn: hour })
    const { expiresAt } = await users.get('blind')
    const stays = (await users.get('read')).expiresAt
    await db.unitOfWork(async (unit) => {
      const inner = unit.repositories.users
      await inner.set('blind', alice, { keepExpiry })
      const entry = await inner.get('read')
      await inner.set('read', { ...alice, age: 1 }, { keepExpiry })
      expect(entry).toMatchObject({ value: { age: 1 }, expiresAt: stays })
      if (entry.value !== null) entry.value.age = 2
      await inner.touch('touched', { expireIn: 2 * hour })
      await inner.set('touched', alice, { keepExpiry })
      await inner.delete('deleted')
      await inner.set('deleted', alice, { keepExpiry })
      await inner.set('new', alice, { expireIn: hour })
      await inner.set('new', { ...alice, age: 3 }, { keepExpiry })
      expect((await inner.findMany({ where: { age: 3 } }))[0]?.expiresAt).toBeGreaterThan(Date.now())
      expect((await inner.get('blind')).expiresAt).toBe(expiresAt)
      expect((await inner.get('deleted')).expiresAt).toBeNull()
    })
    expect((await users.get('blind')).expiresAt).toBe(expiresAt)
    expect(await users.get('read')).toMatchObject({ value: { age: 2 }, expiresAt: stays })
    expect((await users.get('touched')).expiresAt).toBeGreaterThan(Date.now() + hour)
    expect((await users.get('deleted')).expiresAt).toBeNull()
    expect(await users.get('new')).toMatchObject({ value: { age: 3 }, expiresAt: expect.any(Number) })
  },

  'keepExpiry is true or false, and goes without expireIn': async (place) => {
    await using db = await schemas.open(place.path())
    const { users } = db.repositories
    for (const [options, message] of [
      [{ keepExpiry: true, expireIn: 1_000 }, /leave one out/],
      [{ keepExpiry: 'yes' }, /true or false/],
      [{ keepExpiry: null }, /true or false/],
      [{ keepexpiry: true }, /write 'keepExpiry'/],
    ] as const) {
      const bad = options as object
      for (const write of [
        async () => db.set(['a'], 1, bad),
        async () => users.set('alice', alice, bad),
        async () => db.atomic().set(['a'], 1, bad).commit(),
        async () =>
          db
            .atomic()
            .mutate({ type: 'set', key: ['a'], value: 1, ...bad })
            .commit(),
        async () => db.unitOfWork((unit) => unit.set(['a'], 1, bad)),
      ]) {
        await expect(write()).rejects.toThrow(TypeError)
        await expect(write()).rejects.toThrow(message)
      }
    }
    await expect(users.insert('alice', alice, { keepExpiry } as never)).rejects.toThrow(TypeError)
    expect(await users.count()).toBe(0)
  },
}
