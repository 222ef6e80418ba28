import { UniqueConstraintError, Valkeyrie } from 'valkeyrie'
import { expect, vi } from 'vitest'
import { z } from 'zod'
import type { Cases } from '../suite.ts'

const person = z.object({
  email: z.string().nullish(),
  address: z.object({ city: z.string(), street: z.string() }).optional(),
  born: z.date().optional(),
})
const people = Valkeyrie.withSchema(['people', '*'], person, {
  indexes: [
    { on: 'email', unique: true },
    { on: ['address.city', 'address.street'], unique: true },
    { on: 'born', unique: true },
  ],
}).withSchema(['others', '*'], person, { indexes: [{ on: 'email', unique: true }] })

export const uniqueIndexCases: Cases = {
  'a second row with the same value is refused, and the error names the first': async (place) => {
    await using db = await people.open(place.path())
    const rows = db.repositories.people
    await rows.set('a', { email: 'a@b.c' })
    for (const write of [
      () => rows.set('b', { email: 'a@b.c' }),
      () => rows.insert('b', { email: 'a@b.c' }),
      () => rows.create({ email: 'a@b.c' }),
      () => rows.insertMany([['b', { email: 'a@b.c' }]]),
      () => db.set(['people', 'b'], { email: 'a@b.c' }),
      () => db.atomic().set(['x'], 1).set(['people', 'b'], { email: 'a@b.c' }).commit(),
    ]) {
      const error = await write().catch((thrown) => thrown)
      expect(error).toBeInstanceOf(UniqueConstraintError)
      expect(error).toMatchObject({
        code: 'UNIQUE_CONSTRAINT',
        repository: 'people',
        fields: ['email'],
        key: ['people', 'a'],
      })
    }
    await rows.set('c', { email: 'c@b.c' })
    await expect(rows.update('c', { email: 'a@b.c' })).rejects.toThrow(UniqueConstraintError)
    expect((await rows.get('c')).value).toStrictEqual({ email: 'c@b.c' })
    expect(await rows.count()).toBe(2)
    expect((await db.get(['x'])).versionstamp).toBeNull()
  },

  'an index may be on several fields and on dates': async (place) => {
    await using db = await people.open(place.path())
    const rows = db.repositories.people
    const born = new Date('2000-01-01')
    await rows.set('a', { address: { city: 'Paris', street: '1' }, born })
    await rows.set('b', { address: { city: 'Paris', street: '2' } })
    const error = await rows.set('c', { address: { city: 'Paris', street: '2' } }).catch((thrown) => thrown)
    expect(error).toMatchObject({ fields: ['address.city', 'address.street'], key: ['people', 'b'] })
    expect(await rows.set('c', { born }).catch((thrown) => thrown)).toMatchObject({
      fields: ['born'],
      key: ['people', 'a'],
    })
  },

  'rows without the field never clash, nor do rows of other patterns': async (place) => {
    await using db = await people.open(place.path())
    const { people: rows, others } = db.repositories
    await rows.set('a', {})
    await rows.set('b', {})
    await rows.set('c', { email: null })
    await rows.set('d', { email: null })
    await rows.set('e', { email: 'a@b.c' })
    await others.set('e', { email: 'a@b.c' })
    await db.set(['free'], { email: 'a@b.c' })
    expect(await rows.count()).toBe(5)
  },

  'a row may be written again with its own value, and a value is free when its row is gone': async (
    place,
  ) => {
    await using db = await people.open(place.path())
    const rows = db.repositories.people
    await rows.set('a', { email: 'a@b.c' })
    await rows.set('a', { email: 'a@b.c' })
    await rows.update('a', { email: 'd@e.f' })
    await rows.set('b', { email: 'a@b.c' })
    await rows.delete('b')
    await rows.set('c', { email: 'a@b.c' })
    await db.atomic().delete(['people', 'c']).set(['people', 'd'], { email: 'a@b.c' }).commit()
    expect(await rows.count()).toBe(2)
  },

  'an expired row does not block its value': async (place) => {
    const now = Date.now()
    vi.useFakeTimers({ toFake: ['Date'], now })
    try {
      await using db = await people.open(place.path())
      const rows = db.repositories.people
      await rows.set('a', { email: 'a@b.c' }, { expireIn: 1_000 })
      await rows.set('b', { address: { city: 'Paris', street: '1' } }, { expireIn: 1_000 })
      vi.setSystemTime(now + 1_000)
      await rows.insert('c', { email: 'a@b.c', address: { city: 'Paris', street: '1' } })
      expect((await Array.fromAsync(rows.list())).map(({ id }) => id)).toStrictEqual(['c'])
    } finally {
      vi.useRealTimers()
    }
  },
}
