import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { migrate } from 'drizzle-orm/better-sqlite3/migrator'
import { index, integer, type SQLiteColumnBuilderBase, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { check } from '../../src/migration/check.ts'
import { generate } from '../../src/migration/generate.ts'
import type { Project } from '../../src/migration/project.ts'
import {
  drizzleKit,
  generateQuietly,
  migrateQuietly,
  projectFolder,
  projectOf,
  run,
  write,
} from './project.ts'
import { upgrade } from './upgrade.ts'

const users = (indexes: object[] = []) =>
  defineSchema(['users', '*'], z.object({ a: z.string() }), { indexes } as object)

/** The module that declares what `users` does, for drizzle-kit to read. */
const moduleOf = (indexes: string) => `import { defineSchema, kvTables } from 'valkeyrie/schema'
import { z } from 'zod'
export const users = defineSchema(['users', '*'], z.object({ a: z.string() }), { indexes: ${indexes} })
export const { kv, kvLog, kvCollections } = kvTables([users])`

it('migrations that drizzle-kit has made are applied, and those that follow build on them', async () => {
  const folder = projectFolder()
  const path = join(folder, 'data.db')
  const migrations = join(folder, 'migrations')
  write(
    folder,
    'drizzle.config.ts',
    "export default { dialect: 'sqlite', schema: './schemas.ts', out: './migrations' }",
  )
  write(folder, 'schemas.ts', moduleOf('[]'))
  expect(await run(folder, [drizzleKit, 'generate', '--name', 'kit'])).toMatchObject({ code: 0 })
  const first = projectOf(folder, users())
  expect(await generateQuietly(first)).toMatchObject({ tag: '0001_users' })
  expect(await generateQuietly(first)).toBeNull()
  const db = await Valkeyrie.withSchemas([users()]).open(path, { migrations })
  await db.set(['users', 1], { a: 'A' })
  await db.set(['users', 2], { a: 'A' })
  await db.close()

  const declared = [{ on: 'a', unique: true }]
  write(folder, 'schemas.ts', moduleOf("[{ on: 'a', unique: true }]"))
  expect(await run(folder, [drizzleKit, 'generate', '--name', 'index'])).toMatchObject({ code: 0 })
  const second = projectOf(folder, users(declared))
  expect(await generateQuietly(second)).toMatchObject({ tag: '0003_schemas' })
  expect(await generateQuietly(second)).toBeNull()
  expect(await run(folder, [drizzleKit, 'generate'])).toMatchObject({
    code: 0,
    text: expect.stringContaining('nothing to migrate'),
  })
  expect(await run(folder, [drizzleKit, 'check'])).toMatchObject({ code: 0 })
  await expect(migrateQuietly(second, path)).rejects.toThrow(
    /the unique index of users on a: the same values are in \["users","1"\] and \["users","2"\]/,
  )
  const mend = await Valkeyrie.open(path)
  await mend.set(['users', 2], { a: 'B' })
  await mend.close()
  expect(await migrateQuietly(second, path)).toEqual(['0002_index', '0003_schemas'])
  expect(await check(second, path)).toEqual({ pending: [], drift: [], refused: [] })
})

it('another migrator cannot skip a step', async () => {
  const next = defineSchema(['users', '*'], z.object({ a: z.int() }))
  const {
    path,
    project,
    generated,
    values,
    check: findings,
  } = await upgrade([users()], [[['users', 'ann'], { a: '1' }]], [next])
  const connection = new Database(path)
  const attempt = () => migrate(drizzle(connection), { migrationsFolder: project.migrations })
  expect(attempt).toThrow(/__valkeyrie_staged/)
  connection.close()
  expect((await findings()).pending).toEqual([generated!.tag])
  writeFileSync(join(project.migrations, generated!.steps[0]!), 'export const up = () => ({ a: 1 })\n')
  await migrateQuietly(project, path)
  expect(await values()).toEqual({ '["users","ann"]': { a: 1 } })
})

const notes = (columns: Record<string, SQLiteColumnBuilderBase>, on?: ReturnType<typeof sql>) =>
  sqliteTable('notes', { id: integer().primaryKey(), ...columns }, () =>
    on === undefined ? [] : [index('notes_on').on(on)],
  )

/** A project with a table of its own. */
function withNotes(folder: string, ...table: Parameters<typeof notes>): Project {
  const project = projectOf(folder, users())
  return { ...project, exports: { ...project.exports, notes: notes(...table) } }
}

it('dropping a column of the user’s own table is a loss of data like any other', async () => {
  const folder = projectFolder()
  const path = join(folder, 'data.db')
  const before = withNotes(folder, { body: text(), mood: text() })
  await generateQuietly(before)
  await migrateQuietly(before, path)
  const connection = new Database(path)
  connection.exec("INSERT INTO notes (body, mood) VALUES ('x', 'y'), ('z', NULL)")
  connection.close()
  const after = withNotes(folder, { body: text() })
  const options = { renames: [], acceptDataLoss: false, database: path }
  await expect(generate(after, options)).rejects.toThrow(/lose notes\.mood \(1 row\): to agree/)
  await generateQuietly(after)
  const lines: string[] = []
  await migrateQuietly(after, path, { line: (text) => lines.push(text) })
  expect(lines[0]).toBe('notes.mood is removed from 1 row')
  expect((await check(after, path)).drift).toEqual([])
  expect((await check(before, path)).drift).toEqual([
    { kind: 'column', name: 'notes.mood', message: 'column notes.mood is missing' },
  ])
  await expect(generate(projectOf(folder, users()), options)).rejects.toThrow(
    /lose notes \(2 rows\): to agree/,
  )
})

it('an index whose expression drizzle-kit splits at a comma is corrected', async () => {
  const folder = projectFolder()
  const path = join(folder, 'data.db')
  const project = withNotes(folder, { body: text() }, sql`json_extract(body, '$.a')`)
  const { tag } = (await generateQuietly(project))!
  expect(readFileSync(join(project.migrations, `${tag}.sql`), 'utf8')).toContain(
    `CREATE INDEX "notes_on" ON "notes" (json_extract(body, '$.a'))`,
  )
  await migrateQuietly(project, path)
  expect(await check(project, path)).toEqual({ pending: [], drift: [], refused: [] })
  expect(await generateQuietly(project)).toBeNull()
})

it('questions of drizzle-kit need a terminal', async () => {
  const folder = projectFolder()
  await generateQuietly(withNotes(folder, { body: text() }))
  await expect(generateQuietly(withNotes(folder, { content: text() }))).rejects.toMatchObject({
    code: 'MIGRATION',
    message: expect.stringContaining('run this on a terminal'),
  })
})
