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

  'uniqueness is judged after the whole commit': async (place) => {
    await using db = await people.open(place.path())
    const rows = db.repositories.people
    const emails = async () =>
      (await Array.fromAsync(rows.list())).map(({ id, value }) => `${id} ${value.email}`)
    const versionstamps = async () =>
      new Set((await Array.fromAsync(rows.list())).map(({ versionstamp }) => versionstamp)).size
    await rows.insertMany(['a', 'b', 'c'].map((id) => [id, { email: id }]))

    await db.atomic().set(['people', 'a'], { email: 'b' }).set(['people', 'b'], { email: 'a' }).commit()
    expect(await emails()).toStrictEqual(['a b', 'b a', 'c c'])

    const next: Record<string, string> = { a: 'b', b: 'c', c: 'd' }
    await rows.updateMany({ where: {}, set: ({ email }) => ({ email: next[email!] }) })
    expect(await emails()).toStrictEqual(['a c', 'b b', 'c d'])
    expect(await versionstamps()).toBe(1)

    const since = (await rows.get('a')).versionstamp!
    await db.atomic().set(['people', 'd'], { email: 'c' }).delete(['people', 'a']).commit()
    expect(await emails()).toStrictEqual(['b b', 'c d', 'd c'])
    const changes = rows.changes({ since }).getReader()
    const logged = [(await changes.read()).value, (await changes.read()).value]
    expect(logged).toMatchObject([
      { type: 'set', id: 'd' },
      { type: 'delete', id: 'a' },
    ])
    await changes.cancel()

    const clash = db
      .atomic()
      .set(['people', 'b'], { email: 'c' })
      .set(['people', 'd'], { email: 'c' })
      .commit()
    expect(await clash.catch((thrown) => thrown)).toMatchObject({ code: 'UNIQUE_CONSTRAINT' })
    const gone = db.atomic().delete(['people', 'b']).set(['people', 'c'], { email: 'c' }).commit()
    expect(await gone.catch((thrown) => thrown)).toMatchObject({ key: ['people', 'd'] })
    expect(await emails()).toStrictEqual(['b b', 'c d', 'd c'])
  },

  'a value that the same commit replaces may be the value of another row': async (place) => {
    await using db = await people.open(place.path())
    const rows = db.repositories.people
    const b = ['people', 'b'] as const
    await rows.insertMany([
      ['a', { email: 'a' }],
      ['b', { email: 'b' }],
    ])
    const taken = { email: 'a' }
    const passing = { expireIn: 3_600_000 }
    await db.atomic().set(b, taken, passing).set(b, { email: 'c' }, { keepExpiry: true }).commit()
    expect(await rows.get('b')).toMatchObject({ value: { email: 'c' }, expiresAt: expect.any(Number) })
    await db.atomic().set(b, taken).set(['people', 'd'], { email: 'c' }).set(b, { email: 'e' }).commit()
    expect((await rows.findMany()).map(({ id, value }) => `${id} ${value.email}`)).toStrictEqual([
      'a a',
      'b e',
      'd c',
    ])

    const since = (await rows.get('b')).versionstamp!
    await db.atomic().set(b, taken).delete(b).commit()
    expect((await rows.get('b')).versionstamp).toBeNull()
    const changes = rows.changes({ since }).getReader()
    expect((await changes.read()).value).toMatchObject({ type: 'delete', id: 'b' })
    await changes.cancel()

    const last = db.atomic().set(b, { email: 'f' }).set(b, taken).commit()
    expect(await last.catch((thrown) => thrown)).toMatchObject({ key: ['people', 'a'] })
    expect(await rows.exists('b')).toBe(false)
  },

  'a key that is taken is reported before a value that is': async (place) => {
    await using db = await people.open(place.path())
    const rows = db.repositories.people
    await rows.insertMany([
      ['a', { email: 'a' }],
      ['b', { email: 'b' }],
    ])
    const taken = { email: 'a' }
    const fresh = { email: 'new' }
    for (const ids of ['bc', 'cb'] as const) {
      const inserted = rows.insertMany([
        ['z', fresh],
        [ids[0]!, taken],
        [ids[1]!, taken],
      ])
      expect(await inserted.catch((thrown) => thrown)).toMatchObject({
        code: 'KEY_EXISTS',
        key: ['people', 'b'],
      })
    }
    const absent = (id: string) => ({ key: ['people', id], versionstamp: null })
    const checked = db.atomic().check(absent('c'), absent('b'))
    expect(await checked.set(['people', 'c'], taken).set(['people', 'b'], fresh).commit()).toMatchObject({
      ok: false,
      conflicts: [{ key: ['people', 'b'] }],
    })
    expect((await rows.findMany()).map(({ id }) => id)).toStrictEqual(['a', 'b'])
  },

  'a unit of work may pass a value from row to row, in whatever order it writes them': async (place) => {
    await using db = await people.open(place.path())
    const rows = db.repositories.people
    const emails = async () =>
      (await Array.fromAsync(rows.list())).map(({ id, value }) => `${id} ${value.email}`)
    await rows.insertMany(['a', 'b'].map((id) => [id, { email: id }]))
    await db.unitOfWork(async ({ repositories: { people } }) => {
      const [a, b] = await people.getMany(['a', 'b'])
      ;[a!.value!.email, b!.value!.email] = [b!.value!.email, a!.value!.email]
    })
    expect(await emails()).toStrictEqual(['a b', 'b a'])
    await db.unitOfWork(async ({ repositories: { people } }) => {
      const a = await people.get('a')
      a.value!.email = 'new'
      await people.insert('c', { email: 'b' })
    })
    expect(await emails()).toStrictEqual(['a new', 'b a', 'c b'])
    await db.unitOfWork(async ({ repositories: { people } }) => {
      await people.delete('b')
      await people.insert('d', { email: 'a' })
      await people.insert('b', { email: 'again' })
    })
    expect(await emails()).toStrictEqual(['a new', 'b again', 'c b', 'd a'])
  },
}
