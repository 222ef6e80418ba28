import { UniqueConstraintError, ValidationError, Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import { z } from 'zod'
import type { Cases } from '../suite.ts'
import { alice, schemas } from './schemas.ts'

const counted = z.object({ n: z.int(), big: z.bigint().optional(), note: z.string().nullish() })

export const upsertCases: Cases = {
  'upsert creates a row that is not there, and changes one that is': async (place) => {
    await using db = await schemas.open(place.path())
    const { users, site } = db.repositories
    const values = { create: alice, update: { age: 31 } }
    const first = await users.upsert('alice', values)
    expect(first).toStrictEqual({
      ok: true,
      versionstamp: first.versionstamp,
      created: true,
      entry: await users.get('alice'),
    })
    expect(first.entry.value).toStrictEqual(alice)
    const second = await users.upsert('alice', values)
    expect(second).toMatchObject({ created: false, entry: { value: { age: 31 } } })
    expect(second.entry).toStrictEqual(await users.get('alice'))
    const third = await users.upsert('alice', {
      create: alice,
      update: (user) => ({ ...user, age: user.age + 1 }),
    })
    expect(third.entry.value.age).toBe(32)
    expect((await site.upsert({ create: { title: 'a' }, update: {} })).entry.value).toEqual({
      title: 'a',
      visits: 0,
    })
    expect((await site.upsert({ create: { title: 'b' }, update: {} })).entry.value.title).toBe('a')
  },

  'upserts of one row at the same time lose nothing, and one creates it': async (place) => {
    await using db = await Valkeyrie.withSchema(['counts', '*'], counted).open(place.path())
    const { counts } = db.repositories
    const upsert = () => counts.upsert('a', { create: { n: 1 }, update: { n: { increment: 1 } } })
    const results = await Promise.all(Array.from({ length: 50 }, upsert))
    expect(results.filter(({ created }) => created)).toHaveLength(1)
    expect(new Set(results.map(({ entry }) => entry.value.n)).size).toBe(50)
    expect((await counts.get('a')).value?.n).toBe(50)
    const slow = async ({ n }: { n: number }) => {
      await counts.upsert('a', { create: { n: 0 }, update: { n: { increment: 100 } } })
      return { n: n + 1 }
    }
    let calls = 0
    await counts.upsert('b', { create: { n: 0 }, update: {} })
    await counts.upsert('b', {
      create: { n: 0 },
      update: (value) => (++calls === 1 ? slow(value) : { n: 7 }),
    })
    expect((await counts.get('b')).value?.n).toBe(1)
    expect((await counts.get('a')).value?.n).toBe(150)
  },

  'expireIn of an upsert is that of the row, and without it a changed row keeps its own': async (place) => {
    await using db = await schemas.open(place.path())
    const { users } = db.repositories
    const values = { create: alice, update: { age: 31 } }
    const { entry } = await users.upsert('alice', values, { expireIn: 60_000 })
    expect(entry.expiresAt).toBeGreaterThan(Date.now())
    expect((await users.upsert('alice', values)).entry.expiresAt).toBe(entry.expiresAt)
    expect((await users.upsert('alice', values, { expireIn: 600_000 })).entry.expiresAt).toBeGreaterThan(
      Number(entry.expiresAt),
    )
    expect((await users.upsert('bob', values)).entry.expiresAt).toBeNull()
  },

  'in a unit of work, upsert sees and writes what the unit has': async (place) => {
    await using db = await schemas.open(place.path())
    const { users } = db.repositories
    await db.unitOfWork(async (unit) => {
      const inner = unit.repositories.users
      const first = await inner.upsert('alice', { create: alice, update: { age: 0 } })
      expect(first.created).toBe(true)
      first.entry.value.age = 40
      const second = await inner.upsert('alice', { create: alice, update: { age: { increment: 1 } } })
      expect(second).toMatchObject({ created: false, entry: { value: { age: 41 } } })
      expect(second.entry.value.age).toBe(41)
      expect((await inner.get('alice')).value).toBe(second.entry.value)
      second.entry.value.name = 'Alicia'
    })
    expect((await users.get('alice')).value).toStrictEqual({ name: 'Alicia', age: 41 })
  },

  'an invalid upsert writes nothing': async (place) => {
    const indexes = [{ on: 'email', unique: true }] as const
    const schema = z.object({ email: z.string(), n: z.int().optional() })
    await using db = await Valkeyrie.withSchema(['people', '*'], schema, { indexes }).open(place.path())
    const { people } = db.repositories
    await people.set('a', { email: 'a' })
    const create = { email: 'a' }
    await expect(people.upsert('b', { create, update: {} })).rejects.toThrow(UniqueConstraintError)
    await expect(people.upsert('b', { create: { email: 1 } as never, update: {} })).rejects.toThrow(
      ValidationError,
    )
    await expect(people.upsert('a', { create, update: { n: 'x' } as never })).rejects.toThrow(ValidationError)
    for (const bad of [
      {},
      { create },
      { update: {} },
      { create, update: 5 },
      { create, update: {}, where: {} },
      null,
    ])
      await expect(people.upsert('b', bad as never)).rejects.toThrow(TypeError)
    await expect(people.upsert('b', { create, update: {} }, { keepExpiry: true } as never)).rejects.toThrow(
      TypeError,
    )
    expect(await people.count()).toBe(1)
  },

  'increment and decrement add to numbers and bigints; what is missing or null counts as 0': async (
    place,
  ) => {
    const schema = counted.extend({ maybe: z.int().nullish() })
    await using db = await Valkeyrie.withSchema(['counts', '*'], schema).open(place.path())
    const { counts } = db.repositories
    await counts.set('a', { n: 1, maybe: null })
    await counts.update('a', {
      n: { increment: 2 },
      big: { increment: 5n },
      maybe: { decrement: 3 },
      note: 'x',
    })
    expect((await counts.get('a')).value).toStrictEqual({ n: 3, big: 5n, maybe: -3, note: 'x' })
    await counts.updateMany({ where: { n: 3 }, set: { n: { decrement: 1 }, big: { decrement: 7n } } })
    expect((await counts.get('a')).value).toStrictEqual({ n: 2, big: -2n, maybe: -3, note: 'x' })
    await expect(counts.update('a', { big: { increment: 1 } as never })).rejects.toThrow(
      /'big', which holds a bigint: give a bigint/,
    )
    await expect(counts.update('a', { n: { increment: 0.5 } })).rejects.toThrow(ValidationError)
    await expect(counts.update('a', { n: { increment: Number.NaN } })).rejects.toThrow(ValidationError)
    await expect(counts.update('a', { n: { increment: 'x' } as never })).rejects.toThrow(ValidationError)
    await expect(counts.update('a', { n: { increment: 1, decrement: 1 } as never })).rejects.toThrow(
      ValidationError,
    )
    expect((await counts.get('a')).value?.n).toBe(2)
  },

  'a field that may hold an object takes { increment: 1 } as its value': async (place) => {
    const step = z.object({ increment: z.int() })
    const schema = z.object({
      step,
      either: z.union([z.int(), step]),
      any: z.unknown(),
      all: z.record(z.string(), z.int()),
    })
    await using db = await Valkeyrie.withSchema(['steps', '*'], schema).open(place.path())
    const { steps } = db.repositories
    await steps.set('a', { step: { increment: 5 }, either: 1, any: 1, all: {} })
    const increment = { increment: 1 }
    await steps.update('a', { step: increment, either: increment, any: increment, all: increment })
    const value = { step: increment, either: increment, any: increment, all: increment }
    expect((await steps.get('a')).value).toStrictEqual(value)
  },

  'an increment applies to the stored value, without any transform': async (place) => {
    const cents = z.number().transform((euros) => euros * 100)
    const digits = z.codec(z.string(), z.number(), { decode: Number, encode: String })
    const schema = z.object({ cents, digits, likes: z.int(), title: z.string().trim() })
    await using db = await Valkeyrie.withSchema(['items', '*'], schema).open(place.path())
    const { items } = db.repositories
    await items.set('a', { cents: 2, digits: '5', likes: 0, title: 'a' })
    await items.update('a', { likes: { increment: 1 }, title: ' b ' })
    await items.update('a', { likes: { increment: 1 }, digits: { increment: 2 } })
    expect((await items.get('a')).value).toStrictEqual({ cents: 200, digits: 7, likes: 2, title: 'b' })
    await expect(items.update('a', { cents: { increment: 1 } })).rejects.toThrow(ValidationError)
    expect((await items.get('a')).value?.cents).toBe(200)
  },

  'updateMany and deleteMany return the touched rows on request': async (place) => {
    await using db = await schemas.open(place.path())
    const { users } = db.repositories
    for (const [id, age] of [
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ] as const)
      await users.set(id, { name: id, age })
    const older = { where: { age: { gte: 2 } }, set: { age: { increment: 10 } }, returning: true } as const
    const updated = await users.updateMany(older)
    expect(updated).toMatchObject({ ok: true, count: 2 })
    expect(updated.entries).toStrictEqual(await users.getMany(['b', 'c']))
    expect(new Set(updated.entries.map(({ versionstamp }) => versionstamp))).toEqual(
      new Set([updated.versionstamp]),
    )
    expect(await users.updateMany({ where: { age: 99 }, set: {}, returning: true })).toStrictEqual({
      ok: true,
      count: 0,
      versionstamp: null,
      entries: [],
    })
    expect(await users.updateMany({ ...older, returning: false })).not.toHaveProperty('entries')
    const before = await users.getMany(['b', 'c'])
    const deleted = await users.deleteMany({ where: { age: { gte: 2 } }, returning: true })
    expect(deleted).toMatchObject({ count: 2 })
    expect(deleted.entries).toStrictEqual(before)
    expect(await users.count()).toBe(1)
    await db.unitOfWork(async (unit) => {
      const { entries } = await unit.repositories.users.updateMany({
        where: {},
        set: { age: 5 },
        returning: true,
      })
      entries[0]!.value.name = 'changed'
    })
    expect((await users.get('a')).value).toStrictEqual({ name: 'changed', age: 5 })
    await expect(users.deleteMany({ where: {}, returning: 'yes' } as never)).rejects.toThrow(/true or false/)
    expect(await users.count()).toBe(1)
  },
}
