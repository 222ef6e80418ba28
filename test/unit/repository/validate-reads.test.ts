import { ValidationError, Valkeyrie } from 'valkeyrie'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { temporaryFolder } from '../../temporary-folder.ts'

const path = temporaryFolder()

async function fileWithOldRow() {
  const file = path()
  await using db = await Valkeyrie.open(file)
  await db.set(['users', 'old'], { name: 'Old' })
  await db.set(['users', 'new'], { name: 'New', age: 1 })
  return file
}

for (const [kind, schema] of [
  ['a synchronous', z.object({ name: z.string(), age: z.int() })],
  ['an asynchronous', z.object({ name: z.string(), age: z.int() }).refine(async () => true)],
] as const) {
  const users = Valkeyrie.withSchema(['users', '*'], schema)

  test(`validateReads checks what is read against ${kind} schema`, async () => {
    await using db = await users.open(await fileWithOldRow(), { validateReads: true })
    const rows = db.repositories.users
    for (const read of [
      () => db.get(['users', 'old']),
      () => db.getMany([['users', 'old']]),
      () => Array.fromAsync(db.list({ prefix: [] }, { reverse: true })),
      () => rows.get('old'),
      () => rows.getMany(['new', 'old']),
      () => Array.fromAsync(rows.list()),
    ]) {
      const error = await read().catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(ValidationError)
      expect(error).toMatchObject({ key: ['users', 'old'] })
    }
    expect((await rows.get('new')).value).toStrictEqual({ name: 'New', age: 1 })
    expect(await rows.exists('old')).toBe(true)
    expect(await rows.count()).toBe(2)
  })

  test(`without it values are read as they are stored, under ${kind} schema`, async () => {
    await using db = await users.open(await fileWithOldRow())
    expect((await db.repositories.users.get('old')).value).toStrictEqual({ name: 'Old' })
  })
}

test('a write that returns its rows writes nothing if validateReads refuses one of them', async () => {
  const user = z.object({ name: z.string(), age: z.int() })
  await using db = await Valkeyrie.withSchema(['users', '*'], user).open(await fileWithOldRow(), {
    validateReads: true,
  })
  const { users } = db.repositories
  await users.insertMany(['c', 'd', 'e'].map((id) => [id, { name: id, age: 2 }] as const))
  const claim = (limit: number) =>
    users.claimMany({
      where: { name: { ne: 'taken' } },
      orderBy: { name: 'desc' },
      limit,
      set: { name: 'taken' },
    })
  const taken = () => users.count({ where: { name: 'taken' } })
  // The first one is prepared before its commit, the next ones would be prepared in it.
  for (let claims = 1; claims <= 2; claims++) {
    expect((await claim(1)).count).toBe(1)
    expect(await taken()).toBe(claims)
  }
  for (const write of [
    () => claim(3),
    () => users.updateMany({ where: {}, set: { name: 'taken' }, returning: true }),
    () => users.upsert('old', { create: { name: 'taken', age: 3 }, update: { name: 'taken' } }),
  ]) {
    await expect(write()).rejects.toMatchObject({ code: 'VALIDATION', key: ['users', 'old'] })
    expect(await taken()).toBe(2)
  }
})

test('validateReads refuses what the schema cannot have output', async () => {
  const event = z.object({
    at: z.codec(z.iso.datetime(), z.date(), { decode: (s) => new Date(s), encode: (d) => d.toISOString() }),
    price: z.number().transform((euros) => euros * 100),
    size: z.coerce.number(),
    note: z.string().default('none'),
    tags: z.array(z.object({ weight: z.string().transform(Number), name: z.string() })),
  })
  const file = path()
  const events = Valkeyrie.withSchema(['events', '*'], event, { name: 'events' })
  await using db = await events.open(file, { validateReads: true })
  await using old = await Valkeyrie.open(file)
  const stored = { at: new Date(0), price: 200, size: 1, note: '', tags: [{ weight: 1, name: 'a' }] }
  await old.set(['events', 'a'], { ...stored, unknown: true })
  expect((await db.repositories.events.get('a')).value).toStrictEqual({ ...stored, unknown: true })
  const { note: _, ...withoutNote } = stored
  for (const [bad, issuePath] of [
    [{ ...stored, at: '2024-01-02T00:00:00Z' }, ['at']],
    [{ ...stored, size: '1' }, ['size']],
    [withoutNote, ['note']],
    [{ ...stored, tags: [{ weight: 1, name: 5 }] }, ['tags', 0, 'name']],
  ] as const) {
    await old.set(['events', 'a'], bad)
    const error = await db.repositories.events.get('a').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ValidationError)
    expect((error as ValidationError).issues[0]?.path).toStrictEqual(issuePath)
  }
})

test('a patch does not judge the fields that it does not give', async () => {
  const file = path()
  const rows = Valkeyrie.withSchema(['a', '*'], z.object({ n: z.int(), note: z.string() }), { name: 'rows' })
  await using db = await rows.open(file)
  await using old = await Valkeyrie.open(file)
  await old.set(['a', 'x'], { n: 'old', note: '', more: true })
  await db.repositories.rows.update('x', { note: 'new' })
  expect((await db.get(['a', 'x'])).value).toStrictEqual({ n: 'old', note: 'new', more: true })
  await expect(db.repositories.rows.update('x', (value) => ({ ...value, note: '' }))).rejects.toThrow(
    ValidationError,
  )
})
