import { copyFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { CorruptValueError, Valkeyrie } from 'valkeyrie'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { repair } from '../../src/api/diagnosis.ts'
import { encodeKey } from '../../src/key/codec.ts'
import { stillClock } from '../still-clock.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { changeBehindIndexes, changeBytes } from './damage.ts'

const newPath = temporaryFolder()
const user = z.object({ name: z.string(), age: z.int() })
const indexes = [{ on: 'age' }, { on: 'name', unique: true }] as const
const schemas = Valkeyrie.withSchema(['users', '*'], user, { indexes })
const count = 30
const keyOf = (id: string) => encodeKey(['users', id], 1_000)
const sound = newPath('sound.db')

beforeAll(async () => {
  await using db = await schemas.open(sound)
  const { users } = db.repositories
  for (let n = 0; n < count; n++) await users.set(`u${n}`, { name: `N${n}`, age: n % 5 })
  await users.set('brief', { name: 'Brief', age: 1 }, { expireIn: 3_600_000 })
})

/** A copy of the sound file in which the values of these are not JSON any more. */
function damaged(...ids: string[]): string {
  const path = newPath()
  copyFileSync(sound, path)
  const changes = ids.map((id) => ({ key: keyOf(id), place: 0, byte: 0x28 }))
  expect(changeBytes(path, changes)).not.toContain(true)
  return path
}

type Users = Awaited<ReturnType<typeof schemas.open>>
const check = (db: Users) => db.drizzle.$client.pragma('integrity_check', { simple: true })

const writes: Record<string, (db: Users) => Promise<unknown>> = {
  'a set': ({ repositories: { users } }) => users.set('u3', { name: 'N3', age: 9 }),
  'a set by key': (db) => db.set(['users', 'u3'], { name: 'N3', age: 9 }),
  'a set in an atomic operation': (db) =>
    db
      .atomic()
      .check({ key: ['users', 'none'], versionstamp: null })
      .set(['users', 'u3'], { name: 'N3', age: 9 })
      .set(['users', 'none'], { name: 'None', age: 9 })
      .commit(),
  'a set that keeps the expiry': (db) =>
    db.atomic().set(['users', 'u3'], { name: 'N3', age: 9 }, { keepExpiry: true }).commit(),
  'a set of who has opened the file without its schemas': async (db) => {
    await using other = await Valkeyrie.inspect(db.drizzle.$client.name)
    await other.set(['users', 'u3'], { name: 'N3', age: 9 })
  },
  'a set in a unit of work': (db) =>
    db.unitOfWork((unit) => unit.repositories.users.set('u3', { name: 'N3', age: 9 })),
  'a set beside many writes of the same turn': ({ repositories: { users } }) =>
    Promise.all([
      users.set('a', { name: 'A', age: 1 }),
      users.set('u3', { name: 'N3', age: 9 }),
      users.delete('u4'),
      users.set('b', { name: 'B', age: 1 }),
    ]),
  'a set that takes its unique value away from another': (db) =>
    db
      .atomic()
      .set(['users', 'u5'], { name: 'N3', age: 9 })
      .set(['users', 'u3'], { name: 'N5', age: 9 })
      .commit(),
  'a delete': ({ repositories: { users } }) => users.delete('u3'),
  'a delete of a version': (db) => {
    const read = db.drizzle.$client.prepare<[Uint8Array], number>('SELECT version FROM kv WHERE key = ?')
    const ifVersion = read.pluck().get(keyOf('u3'))!.toString(16).padStart(20, '0')
    return db.repositories.users.delete('u3', { ifVersion })
  },
  'deleteMany of all': ({ repositories: { users } }) => users.deleteMany({ where: {} }),
  'deleteMany by an index': ({ repositories: { users } }) => users.deleteMany({ where: { age: 3 } }),
  clear: (db) => db.clear(),
}

describe.each([
  ['one damaged row', ['u3']],
  ['damaged rows beside it', ['u2', 'u3', 'u4', 'u29']],
] as const)('with an index over %s', (_, ids) => {
  test.each(Object.entries(writes))('%s goes through', async (_, write) => {
    const path = damaged(...ids)
    await using db = await schemas.open(path)
    const { users } = db.repositories
    await expect(users.get('u3')).rejects.toThrow(CorruptValueError)
    await write(db)
    const { value } = await users.get('u3')
    expect([null, 9]).toContain(value?.age ?? null)
    if (value !== null)
      expect(await users.findMany({ where: { age: 9, name: value.name } })).toMatchObject([{ id: 'u3' }])
    // A row that is damaged still keeps its bytes, and can be written as well.
    for (const id of ids) await users.set(id, { name: `new ${id}`, age: 7 })
    expect(check(db)).toBe('ok')
    expect((await Valkeyrie.verify(path)).findings).toEqual([])
  })
})

test('a damaged row is removed when it has expired', async () => {
  await using db = await schemas.open(damaged('u3', 'brief'))
  // The sweep in the background comes an hour later.
  stillClock().advance(3_600_000)
  expect(await db.cleanup()).toBe(1)
  await db.repositories.users.insert('other', { name: 'Brief', age: 1 })
  await db.repositories.users.delete('u3')
  expect(check(db)).toBe('ok')
})

test('whatever byte of whatever values has changed, every row can be written and deleted', async () => {
  const damage = fc.record({ row: fc.nat(count - 1), place: fc.nat(), byte: fc.nat(255) })
  await fc.assert(
    fc.asyncProperty(
      fc.array(damage, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      async (all, checksums) => {
        const path = newPath()
        if (checksums) {
          await using db = await schemas.open(path, { checksums })
          const entry = (n: number) => [`u${n}`, { name: `N${n}`, age: n % 5 }] as const
          await db.repositories.users.insertMany(Array.from({ length: count }, (_, n) => entry(n)))
        } else copyFileSync(sound, path)
        changeBytes(
          path,
          all.map(({ row, place, byte }) => ({ key: keyOf(`u${row}`), place, byte })),
        )
        await using db = await schemas.open(path)
        const { users } = db.repositories
        const rows = [...new Set(all.map(({ row }) => row))]
        const [first, ...rest] = rows
        if (first! % 2 === 0) await users.delete(`u${first}`)
        for (const row of rest) await users.set(`u${row}`, { name: `new ${row}`, age: row })
        await users.set(`u${first}`, { name: `new ${first}`, age: first! })
        for (const row of rows)
          expect((await users.findMany({ where: { name: `new ${row}` } }))[0]?.id).toBe(`u${row}`)
        expect(await users.count()).toBe(checksums ? count : count + 1)
        expect(check(db)).toBe('ok')
        await users.deleteMany({ where: {} })
        expect(check(db)).toBe('ok')
      },
    ),
    { numRuns: 12 },
  )
})

const texts = ['x\ud800', '\udc00', 'x\udfff\ud800', '\ufffd', 'é', '😀'] as const

test('whatever texts are written together with a damaged row, indexes have them as the engine does', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.constantFrom(...texts), { minLength: 1 }),
      fc.nat(),
      async (names, place) => {
        const path = damaged('u3')
        await using db = await schemas.open(path)
        const { users } = db.repositories
        const sets = names.map((name, n) => () => users.set(`u${n + 10}`, { name, age: 8 }))
        sets.splice(place % (sets.length + 1), 0, () => users.set('u3', { name: 'new', age: 8 }))
        await Promise.all(sets.map((set) => set()))
        expect(check(db)).toBe('ok')
        expect(await users.count({ where: { age: 8 } })).toBe(names.length + 1)
        expect((await Valkeyrie.verify(path)).findings).toEqual([])
      },
    ),
    { numRuns: 8 },
  )
})

test('a damaged row does not make rows with such texts look damaged, or prevent their backup', async () => {
  const path = damaged('u3')
  await using db = await schemas.open(path)
  for (const [n, name] of texts.entries()) await db.repositories.users.set(`u${n + 10}`, { name, age: 8 })
  expect((await Valkeyrie.verify(path)).counts).toEqual({ row: 1 })
  expect((await repair(path)).failed).toEqual([])
  const copy = newPath()
  await db.backup(copy)
  expect((await Valkeyrie.verify(copy)).counts).toEqual({ row: 1 })
})

test('a damaged row that is to hold such a text, or is written with one, is deleted first', async () => {
  await using db = await schemas.open(damaged('u3'))
  const { users } = db.repositories
  const [name] = texts
  await expect(users.set('u3', { name, age: 8 })).rejects.toThrow('delete the damaged row first')
  const both = db.atomic().delete(['users', 'u3']).set(['users', 'u4'], { name, age: 8 })
  await expect(both.commit()).rejects.toMatchObject({ code: 'STORAGE', engineCode: 'SQLITE_MISMATCH' })
  await users.delete('u3')
  await users.set('u3', { name, age: 8 })
  expect(check(db)).toBe('ok')
})

test('damaged rows and rows of such texts are removed when they have expired', async () => {
  const path = newPath()
  copyFileSync(sound, path)
  {
    await using db = await schemas.open(path)
    for (const [n, name] of texts.entries()) await db.repositories.users.set(`u${n + 10}`, { name, age: 8 })
  }
  changeBytes(path, [{ key: keyOf('brief'), place: 0, byte: 0x28 }])
  const file = new Database(path)
  const expire = file.prepare('UPDATE kv SET expires_at = ? WHERE key = ?')
  for (const [n] of texts.entries()) expire.run(n + 1, keyOf(`u${n + 10}`))
  expire.run(3, keyOf('brief'))
  file.close()
  await using db = await schemas.open(path)
  expect(await db.cleanup()).toBe(texts.length + 1)
  expect(check(db)).toBe('ok')
})

test('a query that meets a damaged row names it, and others are answered', async () => {
  await using db = await schemas.open(damaged('u3'))
  const { users } = db.repositories
  const failing = [
    users.findMany({ where: { name: { like: 'N3' } } }),
    users.findMany({ where: { age: 3 } }),
    users.count({ where: { age: { gte: 0 }, name: { like: '%' } } }),
    users.aggregate({ sum: 'age' }),
    users.findMany(),
    db.snapshot((view) => view.repositories.users.findMany({ where: { name: { like: 'N3' } } })),
    db.unitOfWork((unit) => unit.repositories.users.count({ where: { name: { like: 'N3' } } })),
  ]
  for (const outcome of await Promise.allSettled(failing)) {
    expect(outcome).toMatchObject({ reason: { code: 'CORRUPT_VALUE', key: ['users', 'u3'] } })
  }
  expect(await users.findMany({ where: { age: 2 } })).toHaveLength(6)
  expect(await users.count()).toBe(count + 1)
})

test('a claim that meets a damaged row fails alone', async () => {
  await using db = await schemas.open(damaged('u3'))
  const { users } = db.repositories
  const [claim, other] = await Promise.allSettled([
    users.claimMany({ where: { name: { like: 'N%' } }, limit: 40, set: { age: 9 } }),
    users.set('other', { name: 'Other', age: 1 }),
  ])
  expect(claim).toMatchObject({ reason: { code: 'CORRUPT_VALUE', key: ['users', 'u3'] } })
  expect(other.status).toBe('fulfilled')
})

test('a new index is built over a damaged row, which stays as it is', async () => {
  const path = damaged('u3')
  const more = Valkeyrie.withSchema(['users', '*'], user, {
    indexes: [...indexes, { on: ['age', 'name'], unique: true }],
  })
  await using db = await more.open(path)
  const { users } = db.repositories
  await expect(users.get('u3')).rejects.toThrow(CorruptValueError)
  await expect(users.insert('twin', { name: 'N7', age: 2 })).rejects.toMatchObject({
    code: 'UNIQUE_CONSTRAINT',
  })
  await users.delete('u3')
  expect(check(db)).toBe('ok')
})

test('a damaged row is a finding of verify, and its index is rebuilt around it', async () => {
  const path = damaged('u3')
  const { counts, findings } = await Valkeyrie.verify(path)
  expect(counts).toEqual({ file: 2, row: 1 })
  expect(findings.at(-1)).toMatchObject({ kind: 'row', key: '["users", "u3"]' })
  expect((await repair(path)).rebuilt).toBeGreaterThan(0)
  expect((await Valkeyrie.verify(path)).counts).toEqual({ row: 1 })
  await using db = await schemas.open(path)
  const copy = newPath()
  await db.backup(copy)
  await using restored = await schemas.open(copy)
  await expect(restored.get(['users', 'u3'])).rejects.toThrow(CorruptValueError)
  expect(await restored.repositories.users.count()).toBe(count + 1)
})

test('a file is vacuumed with its damaged rows', async () => {
  await using db = await schemas.open(damaged('u3'))
  db.drizzle.$client.exec('VACUUM')
  await db.repositories.users.set('u3', { name: 'N3', age: 9 })
  expect(check(db)).toBe('ok')
})

test('a value that is still JSON, but not the one in its index, is overwritten in the index too', async () => {
  const path = newPath()
  copyFileSync(sound, path)
  changeBehindIndexes(path, (file) => {
    file.prepare(`UPDATE kv SET value = replace(value, '"age":', '"age":1') WHERE key = ?`).run(keyOf('u3'))
  })
  await using db = await schemas.open(path)
  const { users } = db.repositories
  await users.set('u3', { name: 'N3', age: 77 })
  expect(await users.count({ where: { age: 3 } })).toBe(5)
  expect(await users.findMany({ where: { age: 13 } })).toEqual([])
  expect(check(db)).toBe('ok')
})

test('bytes stored before there was an index can be overwritten and deleted', async () => {
  const path = newPath()
  const mixed = z.union([z.instanceof(Uint8Array), z.object({ a: z.string() })])
  {
    await using db = await Valkeyrie.withSchema(['mixed', '*'], mixed).open(path)
    await db.repositories.mixed.insertMany(['a', 'b', 'c'].map((id) => [id, new Uint8Array([1, 2, 3])]))
  }
  await using db = await Valkeyrie.withSchema(['mixed', '*'], mixed, { indexes: [{ on: 'a' }] }).open(path)
  const rows = db.repositories.mixed
  await rows.set('a', { a: 'x' })
  expect(await rows.delete('b')).toBe(true)
  expect(await rows.count({ where: { a: 'x' } })).toBe(1)
  await rows.deleteMany({ where: {} })
  expect(await rows.count()).toBe(0)
})

test('a bigint whose digits are damaged is left out of figures', async () => {
  await using db = await Valkeyrie.withSchema(['big', '*'], z.object({ b: z.bigint() })).open()
  const { big } = db.repositories
  await big.insertMany([1n, 2n, 3n].map((b, n) => [n, { b }]))
  db.drizzle.$client.exec(`UPDATE kv SET value = '{"b":"zz"}' WHERE value ->> '$.b' = '2'`)
  expect(await big.aggregate({ sum: 'b', max: 'b', min: 'b', avg: 'b' })).toEqual({
    sum: { b: 4n },
    max: { b: 3n },
    min: { b: 1n },
    avg: { b: 2 },
  })
})
