import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { changeBehindIndexes } from '../damage/damage.ts'
import { generateQuietly, migrateQuietly, projectFolder, projectOf } from './project.ts'
import { upgrade } from './upgrade.ts'

const v1 = defineSchema(['users', '*'], z.object({ a: z.string() }))
const renamed = defineSchema(['users', '*'], z.object({ b: z.string() }))
const unique = defineSchema(['users', '*'], z.object({ a: z.string() }), {
  indexes: [{ on: 'a', unique: true }],
})

/** Runs SQL on the file, past the library. */
async function tamper(path: string, sql: string): Promise<void> {
  const db = await Valkeyrie.open(path)
  db.drizzle.$client.exec(sql)
  await db.close()
}

it('keys of every allowed length reach those who follow changes', async () => {
  const folder = projectFolder()
  const path = join(folder, 'data.db')
  await generateQuietly(projectOf(folder, v1))
  const db = await Valkeyrie.withSchemas([v1]).open(path, {
    migrations: join(folder, 'migrations'),
    limits: { keyBytes: 3_000_000 },
  })
  const around = ['users', ''].reduce((bytes, part) => bytes + part.length + 2, 0)
  const lengths = [2 ** 7, 2 ** 14, 2 ** 21].flatMap((bytes) => [bytes - 1 - around, bytes - around])
  for (const length of lengths) await db.repositories.users.set('k'.repeat(length), { a: 'A' })
  const { versionstamp } = await db.set(['last'], 0)
  await generateQuietly(projectOf(folder, renamed), 'users.a=b')
  await migrateQuietly(projectOf(folder, renamed), path)
  const changes = db.repositories.users.changes({ since: versionstamp }).getReader()
  for (const length of lengths) {
    const { value } = await changes.read()
    expect([value?.type, String(value?.id).length]).toEqual(['set', length])
  }
  await db.close()
})

it('expired rows are reported as expired, not as changed, and are in nobody’s way', async () => {
  const { path, migrate, values } = await upgrade(
    [v1],
    [
      [['users', 'ann'], { a: 'A' }],
      [['users', 'bob'], { a: 'A' }],
    ],
    [defineSchema(['users', '*'], z.object({ b: z.string() }), { indexes: [{ on: 'b', unique: true }] })],
    'users.a=b',
  )
  await tamper(path, 'UPDATE kv SET expires_at = 1 WHERE key = (SELECT max(key) FROM kv)')
  const db = await Valkeyrie.withSchemas([v1]).open(path)
  const changes = db.repositories.users.changes().getReader()
  expect(await migrate()).toHaveLength(1)
  expect((await changes.read()).value).toMatchObject({ type: 'expire', id: 'bob' })
  expect((await changes.read()).value).toMatchObject({ type: 'set', id: 'ann', value: { b: 'A' } })
  await db.close()
  expect(await values()).toEqual({ '["users","ann"]': { b: 'A' } })
})

it('a row that has expired does not keep a migration from being applied by open, nor fail its step', async () => {
  const v2 = defineSchema(['users', '*'], z.object({ a: z.int() }))
  const rows = [[['users', 'ann'], { a: 'x' }]] as const
  const one = await upgrade([v1], rows, [v2])
  await tamper(one.path, 'UPDATE kv SET expires_at = 1')
  const { migrations } = one.project
  await (await Valkeyrie.withSchemas([v2]).open(one.path, { migrations })).close()
  expect((await one.check()).pending).toEqual([])

  const other = await upgrade([v1], rows, [v2])
  writeFileSync(
    join(other.project.migrations, other.generated!.steps[0]!),
    'export const up = (value) => value\n',
  )
  await tamper(other.path, 'UPDATE kv SET expires_at = 1')
  expect(await other.migrate()).toEqual([other.generated!.tag])
})

it('a value that is not JSON is named, and can be left out of a step', async () => {
  const rows = [
    [['users', 'ann'], { a: 'A' }],
    [['users', 'bob'], { a: 'B' }],
  ] as const
  const broken = `UPDATE kv SET value = '{"a":' WHERE key = (SELECT max(key) FROM kv)`
  for (const next of [renamed, unique]) {
    const { path, project, migrate } = await upgrade(
      [v1],
      rows,
      [next],
      ...(next === renamed ? ['users.a=b'] : []),
    )
    await tamper(path, broken)
    await expect(migrate()).rejects.toThrow(/under \["users", "bob"\] is not JSON/)
    const opening = Valkeyrie.withSchemas([next]).open(path, { migrations: project.migrations })
    await expect(opening).rejects.toThrow(/under \["users", "bob"\] is not JSON/)
  }
  const v2 = defineSchema(['users', '*'], z.object({ a: z.int() }))
  const { path, folder, project, generated } = await upgrade([v1], rows, [v2])
  writeFileSync(join(project.migrations, generated!.steps[0]!), 'export const up = () => ({ a: 1 })\n')
  await tamper(path, broken)
  const skipInvalid = join(folder, 'skipped.jsonl')
  await migrateQuietly(project, path, { skipInvalid })
  expect(JSON.parse(readFileSync(skipInvalid, 'utf8'))).toMatchObject({
    key: ['users', 'bob'],
    unread: '{"a":',
  })
})

it('a damaged value in an index is named too, and the migration goes through once the row is deleted', async () => {
  const indexed = (pattern: readonly [string, '*'], field: string) =>
    defineSchema(pattern, z.object({ [field]: z.string() }), { indexes: [{ on: field }] })
  const rows = [
    [['users', 'ann'], { a: 'A' }],
    [['users', 'bob'], { a: 'B' }],
  ] as const
  const before = indexed(['users', '*'], 'a')
  const renames = [
    [indexed(['users', '*'], 'b'), 'users.a=b'],
    [indexed(['people', '*'], 'a'), 'users=people'],
  ] as const
  for (const [next, rename] of renames) {
    const { path, migrate, values } = await upgrade([before], rows, [next], rename)
    changeBehindIndexes(path, (file) => {
      file.exec(`UPDATE kv SET value = '{"a":' WHERE key = (SELECT max(key) FROM kv)`)
    })
    await expect(migrate()).rejects.toThrow(/under \["users", "bob"\] is not JSON/)
    const db = await Valkeyrie.withSchemas([before]).open(path)
    await db.delete(['users', 'bob'])
    await db.close()
    await migrate()
    expect(Object.keys(await values())).toHaveLength(1)
  }
})

it('a value without fields stays as it is', async () => {
  const rows = [
    [['users', 'array'], [{ a: 'A' }]],
    [['users', 'bytes'], new Uint8Array([1, 2, 255])],
    [['users', 'map'], new Map([['a', 1n]])],
    [['users', 'null'], null],
    [['users', 'text'], 'a'],
  ] as const
  const after = defineSchema(['users', '*'], z.object({ b: z.string(), c: z.string().default('C') }))
  const { migrate, values } = await upgrade([v1], rows, [after], 'users.a=b')
  const before = await values()
  await migrate()
  expect(await values()).toEqual(before)
})
