import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { CorruptValueError, KvU64, Valkeyrie } from 'valkeyrie'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { sealed, unsealed } from '../../src/value/checksum.ts'
import { Encoding } from '../../src/value/encoding.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const newPath = temporaryFolder()
const users = Valkeyrie.withSchema(
  ['users', '*'],
  z.object({ name: z.string(), born: z.date().optional() }),
  {
    indexes: [{ on: 'name', unique: true }],
  },
)
const checksums = true

test('a sealed value is unsealed unchanged, and one with any change is refused', () => {
  const text = fc.json().map((value) => ({ value, encoding: Encoding.json as number, types: null }))
  const bytes = fc
    .uint8Array()
    .map((value) => ({ value: Buffer.from(value), encoding: Encoding.bytes as number, types: null }))
  fc.assert(
    fc.property(
      fc.oneof(text, bytes),
      fc.nat(),
      fc.integer({ min: 1, max: 127 }),
      (stored, place, change) => {
        const { value } = sealed(stored)
        expect(unsealed({ ...stored, value })).toEqual(stored)
        const damaged = Buffer.from(value as string)
        damaged[place % damaged.length]! ^= change
        const read = unsealed({ ...stored, value: typeof value === 'string' ? damaged.toString() : damaged })
        if (read.encoding === -1) return
        // The end of a text is no white space any more: it is not JSON.
        expect(typeof read.value).toBe('string')
        expect(() => JSON.parse(read.value as string)).toThrow()
      },
    ),
  )
})

test('the bytes of a checksum are those of docs/reliability.md', () => {
  const text = sealed({ value: '123456789', encoding: Encoding.json, types: null }).value
  // CRC-32 of 123456789 is 0xcbf43926: two bits a character, the lowest first.
  const marks = [...(text as string).slice(9)].map((mark) => ' \t\n\r'.indexOf(mark))
  expect(marks.reduceRight((sum, mark) => sum * 4 + mark, 0)).toBe(0xcbf43926)
  const bytes = sealed({ value: Buffer.from('123456789'), encoding: Encoding.bytes, types: null }).value
  expect(Buffer.from(bytes as Uint8Array).toString('hex')).toBe('313233343536373839cbf43926')
})

test('everything works on a file with checksums, and goes on without the option', async () => {
  const path = newPath()
  {
    await using db = await users.open(path, { checksums })
    const { repositories } = db
    await repositories.users.insert('ann', { name: 'Ann', born: new Date(1) })
    await repositories.users.set('bob', { name: 'Bob' })
    await db.set(['bytes'], Uint8Array.of(1, 2, 3))
    await db.set(['empty'], new Uint8Array())
    await db.set(['map'], new Map([[1, 'x']]))
    await db.atomic().sum(['count'], 5n).sum(['count'], 2n).commit()
    await repositories.users.touch('bob', { expireIn: 1_000_000 })
    await repositories.users.update('ann', { name: 'Anna' })
    await expect(repositories.users.set('c', { name: 'Bob' })).rejects.toMatchObject({
      code: 'UNIQUE_CONSTRAINT',
    })
  }
  await using db = await users.open(path)
  expect((await db.get(['bytes'])).value).toEqual(Uint8Array.of(1, 2, 3))
  expect((await db.get(['empty'])).value).toEqual(new Uint8Array())
  expect((await db.get(['map'])).value).toEqual(new Map([[1, 'x']]))
  expect((await db.get(['count'])).value).toEqual(new KvU64(7n))
  const { users: repository } = db.repositories
  expect((await repository.findMany({ where: { name: 'Anna' } }))[0]?.value).toEqual({
    name: 'Anna',
    born: new Date(1),
  })
  expect((await Array.fromAsync(repository.list(), ({ value }) => value.name)).sort()).toEqual([
    'Anna',
    'Bob',
  ])
  await db.unitOfWork(async (unit) => {
    const entry = await unit.repositories.users.get('ann')
    entry.value!.name = 'Ann'
    expect((await unit.repositories.users.findMany({ where: { name: 'Ann' } })).length).toBe(1)
  })
  expect(await repository.count({ where: { name: 'Ann' } })).toBe(1)
  expect((await Valkeyrie.verify(path)).sound).toBe(true)
})

test('reads and verify report a letter that has become another one; without checksums they do not', async () => {
  for (const withSums of [true, false]) {
    const path = newPath()
    {
      await using db = await users.open(path, { checksums: withSums })
      await db.repositories.users.set('ann', { name: 'Ann' })
      await db.repositories.users.set('bob', { name: 'Bob' })
      await db.set(['bytes'], Uint8Array.of(1, 2, 3))
    }
    const file = new Database(path)
    file.exec("UPDATE kv SET value = replace(value, 'Ann', 'Ant') WHERE typeof(value) = 'text'")
    file.exec("UPDATE kv SET value = x'0903' || substr(value, 3) WHERE typeof(value) = 'blob'")
    file.close()
    await using db = await users.open(path)
    const { users: repository } = db.repositories
    const reads = [
      repository.get('ann'),
      repository.findMany({ where: { name: 'Ant' } }),
      Array.fromAsync(repository.list()),
      db.unitOfWork((unit) => unit.get(['users', 'ann'])),
      repository.update('ann', { name: 'x' }),
    ]
    const results = await Promise.allSettled(reads)
    const reasons = results.map((result) => (result.status === 'rejected' ? result.reason.constructor : null))
    expect(reasons).toEqual(reads.map(() => (withSums ? CorruptValueError : null)))
    expect((await repository.get('bob')).value).toEqual({ name: 'Bob' })
    const { counts } = await Valkeyrie.verify(path)
    if (withSums) expect(counts).toEqual({ row: 2 })
  }
})

test('a file has them from its creation or never', async () => {
  const path = newPath()
  await (await users.open(path)).close()
  await expect(users.open(path, { checksums })).rejects.toMatchObject({ code: 'DATABASE_OPEN' })
  await expect(users.open(path, { checksums: 1 as never })).rejects.toThrow(TypeError)
  const other = join(path, '..', 'sealed.db')
  await (await users.open(other, { checksums })).close()
  await (await users.open(other, { checksums, readOnly: true })).close()
  const file = new Database(other)
  expect(file.pragma('user_version', { simple: true })).toBe(2)
  file.close()
})
