import { MigrationError, UniqueConstraintError, Valkeyrie } from 'valkeyrie'
import { expect, test, vi } from 'vitest'
import { z } from 'zod'
import { temporaryFolder } from '../../temporary-folder.ts'

const path = temporaryFolder()
const person = z.object({ email: z.string(), city: z.string().optional() })
const plainPeople = Valkeyrie.withSchema(['people', '*'], person)
const people = Valkeyrie.withSchema(['people', '*'], person, { indexes: [{ on: 'email', unique: true }] })

test('an index is built over existing rows', async () => {
  const file = path()
  {
    await using db = await Valkeyrie.open(file)
    await db.set(['people', 'a'], { email: 'a@b.c' })
    await db.set(['other', 'a'], { email: 'a@b.c' })
  }
  await using db = await people.open(file)
  expect(await db.repositories.people.set('b', { email: 'a@b.c' }).catch((error) => error)).toMatchObject({
    repository: 'people',
    fields: ['email'],
    key: ['people', 'a'],
  })
})

test('rows with equal values prevent it, and the error lists them', async () => {
  const file = path()
  {
    await using db = await plainPeople.open(file)
    const rows = db.repositories.people
    await rows.insertMany([
      ['a', { email: 'same' }],
      ['b', { email: 'same' }],
      ['c', { email: 'other' }],
      [4, { email: 'twice' }],
      [5n, { email: 'twice' }],
    ])
  }
  const error = await people.open(file).catch((thrown) => thrown)
  expect(error).toBeInstanceOf(MigrationError)
  expect(error.code).toBe('MIGRATION')
  for (const part of ['people', 'email', '["people","a"]', '["people","b"]', '["people","4"]']) {
    expect(error.message).toContain(part)
  }
  expect(error.message).not.toContain('"c"')
  // The opening has left nothing behind.
  await using db = await plainPeople.open(file)
  await db.repositories.people.set('c', { email: 'same' })
  expect(await db.repositories.people.count()).toBe(5)
})

test('expired rows do not prevent it', async () => {
  const file = path()
  const now = Date.now()
  vi.useFakeTimers({ toFake: ['Date'], now })
  try {
    await using db = await plainPeople.open(file)
    await db.repositories.people.set('a', { email: 'same' }, { expireIn: 1_000 })
    await db.repositories.people.set('b', { email: 'same' })
    vi.setSystemTime(now + 1_000)
    await using indexed = await people.open(file)
    expect(await indexed.repositories.people.count()).toBe(1)
  } finally {
    vi.useRealTimers()
  }
})

test('an index that is no longer declared stays until it is dropped by name', async () => {
  const file = path()
  await (await people.open(file)).close()
  {
    await using db = await plainPeople.open(file)
    await db.repositories.people.set('a', { email: 'same' })
    await expect(db.repositories.people.set('b', { email: 'same' })).rejects.toThrow(UniqueConstraintError)
  }
  await using db = await plainPeople.open(file, { dropIndexes: [{ repository: 'people', on: 'email' }] })
  await db.repositories.people.set('b', { email: 'same' })
})

test('a handle that does not declare the schema meets the same errors', async () => {
  const file = path()
  await using before = await Valkeyrie.open(file)
  await using typed = await people.open(file)
  await using after = await Valkeyrie.open(file)
  await typed.repositories.people.set('a', { email: 'same' })
  for (const db of [before, after]) {
    const results = await Promise.allSettled([
      db.set(['n', 1], 1),
      db.set(['people', 'b'], { email: 'same' }),
      db.set(['n', 2], 1),
    ])
    expect(results.map(({ status }) => status)).toStrictEqual(['fulfilled', 'rejected', 'fulfilled'])
    const { reason } = results[1] as PromiseRejectedResult
    expect(reason).toBeInstanceOf(UniqueConstraintError)
    expect(reason).toMatchObject({ repository: 'people', fields: ['email'], key: ['people', 'a'] })
  }
})

test('an expired row does not block a handle that does not declare the schema', async () => {
  const file = path()
  await using plain = await Valkeyrie.open(file)
  await using typed = await people.open(file)
  const now = Date.now()
  vi.useFakeTimers({ toFake: ['Date'], now })
  try {
    await typed.repositories.people.set('a', { email: 'same' }, { expireIn: 1_000 })
    vi.setSystemTime(now + 1_000)
    await plain.set(['people', 'b'], { email: 'same' })
    expect((await Array.fromAsync(typed.repositories.people.list())).map(({ id }) => id)).toStrictEqual(['b'])
  } finally {
    vi.useRealTimers()
  }
})

test('names of fields and of repositories may be unusual', async () => {
  const schema = z.object({ 'full name': z.object({ größe: z.int() }) })
  await using db = await Valkeyrie.withSchema(['p', '*'], schema, {
    name: '$p',
    indexes: [{ on: 'full name.größe', unique: true }],
  }).open(path())
  await db.repositories.$p.set('a', { 'full name': { größe: 1 } })
  const error = await db.repositories.$p.set('b', { 'full name': { größe: 1 } }).catch((thrown) => thrown)
  expect(error).toMatchObject({ repository: '$p', fields: ['full name.größe'], key: ['p', 'a'] })
})
