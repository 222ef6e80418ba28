import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { check } from '../../src/migration/check.ts'
import { describeEngines } from '../engines.ts'
import {
  generateQuietly,
  migrateQuietly,
  projectFolder,
  projectFor,
  projectOf,
  run,
  write,
} from './project.ts'

const v1 = defineSchema(['users', '*'], z.object({ name: z.string() }))
const v2 = defineSchema(['users', '*'], z.object({ name: z.string(), level: z.int().default(3) }), {
  indexes: [{ on: 'level' }],
})

/** A program that opens a database with its migrations, and makes one call of it. */
const startingWith = (address: string, call: string) => `import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { z } from 'zod'
const users = defineSchema(['users', '*'], z.object({ name: z.string(), level: z.int().default(3) }), { indexes: [{ on: 'level' }] })
const db = await Valkeyrie.withSchemas([users]).open('${address}', { migrations: './migrations' })
${call}
await db.close()`

it('indexes that the migrations do not make are refused, and nothing is created in place', async () => {
  const folder = projectFolder()
  const migrations = join(folder, 'migrations')
  const path = join(folder, 'data.db')
  await generateQuietly(projectOf(folder, v1))
  await expect(Valkeyrie.withSchemas([v2]).open(path, { migrations })).rejects.toThrow(
    /kv_users_level.*generate/,
  )
  await expect(Valkeyrie.open(path, { migrations: join(folder, 'none') })).rejects.toThrow(/no migrations in/)
  await expect(Valkeyrie.open(path, { migrations: ' ' })).rejects.toThrow(TypeError)
  const memory = await Valkeyrie.withSchemas([v1]).open(undefined, { migrations })
  await memory.repositories.users.set('a', { name: 'Ann' })
  await memory.close()
})

it('a folder of migrations that make other tables only is refused, and applied once others follow', async () => {
  const folder = projectFolder()
  const migrations = join(folder, 'migrations')
  const path = join(folder, 'data.db')
  const entry = { idx: 0, version: '6', when: 1, tag: '0000_notes', breakpoints: true }
  write(
    folder,
    'migrations/meta/_journal.json',
    JSON.stringify({ version: '7', dialect: 'sqlite', entries: [entry] }),
  )
  write(
    folder,
    'migrations/0000_notes.sql',
    '-- By hand.\nCREATE TABLE notes (body text);\n--> statement-breakpoint\n-- Nothing yet.\n',
  )
  const empty = {
    id: '0',
    prevId: '0',
    version: '6',
    dialect: 'sqlite',
    tables: {},
    enums: {},
    views: {},
    _meta: { tables: {}, columns: {} },
  }
  write(folder, 'migrations/meta/0000_snapshot.json', JSON.stringify(empty))
  await expect(Valkeyrie.withSchemas([v1]).open(path, { migrations })).rejects.toThrow(
    /No migration creates the tables/,
  )
  await generateQuietly(projectOf(folder, v1))
  const db = await Valkeyrie.withSchemas([v1]).open(path, { migrations })
  expect(db.drizzle.$client.prepare('SELECT count(*) FROM notes').pluck().get()).toBe(0)
  await db.close()
})

describeEngines('opening by migrations', (engine) => {
  const projectOf = projectFor.bind(null, engine.name)

  it('four processes that start at once apply what is pending, once', async () => {
    const folder = projectFolder()
    const path = engine.newAddress()
    const migrations = join(folder, 'migrations')
    await generateQuietly(projectOf(folder, v1))
    const db = await Valkeyrie.withSchemas([v1]).open(path, { migrations })
    await db.repositories.users.insertMany(
      Array.from({ length: 2_000 }, (_, i) => [i, { name: `n${i}` }] as const),
    )
    await db.close()
    await generateQuietly(projectOf(folder, v2))
    const count = 'console.log(await db.repositories.users.count({ where: { level: 3 } }))'
    write(folder, 'start.ts', startingWith(path, count))
    const runs = await Promise.all([1, 2, 3, 4].map(() => run(folder, ['start.ts'])))
    expect(runs).toMatchObject(runs.map(() => ({ code: 0, text: '2000\n' })))
    expect(await check(projectOf(folder, v2), path)).toEqual({
      pending: [],
      drift: [],
      refused: [],
    })
  })

  it('a database that is newer than the code, or was made without migrations, is refused', async () => {
    const folder = projectFolder()
    const path = engine.newAddress()
    const migrations = join(folder, 'migrations')
    await generateQuietly(projectOf(folder, v1))
    const journal = join(migrations, 'meta/_journal.json')
    const first = readFileSync(journal, 'utf8')
    await generateQuietly(projectOf(folder, v2))
    await (await Valkeyrie.withSchemas([v2]).open(path, { migrations })).close()
    writeFileSync(journal, first)
    await expect(Valkeyrie.withSchemas([v1]).open(path, { migrations })).rejects.toThrow(
      /newer than this code/,
    )

    const plain = engine.newAddress()
    const db = await Valkeyrie.withSchemas([v1]).open(plain)
    await db.repositories.users.set('a', { name: 'Ann' })
    await db.close()
    await expect(Valkeyrie.withSchemas([v1]).open(plain, { migrations })).rejects.toThrow(/--baseline/)
    rmSync(migrations, { recursive: true })
    await generateQuietly(projectOf(folder, v1))
    await generateQuietly(projectOf(folder, v2))
    await migrateQuietly(projectOf(folder, v2), plain, { baseline: true })
    const taken = await Valkeyrie.withSchemas([v2]).open(plain, { migrations })
    expect((await taken.repositories.users.get('a'))?.value).toEqual({ name: 'Ann', level: 3 })
    await taken.close()
    await expect(migrateQuietly(projectOf(folder, v2), plain, { baseline: true })).rejects.toThrow(
      /leave out the baseline/,
    )
  })

  it('four processes that start at once make a database from nothing', async () => {
    const folder = projectFolder()
    const path = engine.newAddress()
    const migrations = join(folder, 'migrations')
    await generateQuietly(projectOf(folder, v1))
    await generateQuietly(projectOf(folder, v2))
    write(folder, 'start.ts', startingWith(path, "await db.repositories.users.create({ name: 'n' })"))
    const runs = await Promise.all([1, 2, 3, 4].map(() => run(folder, ['start.ts'])))
    expect(runs).toMatchObject(runs.map(() => ({ code: 0, text: '' })))
    const db = await Valkeyrie.withSchemas([v2]).open(path, { migrations })
    expect(await db.repositories.users.count({ where: { level: 3 } })).toBe(4)
    await db.close()
  })

  it('check finds what is pending, what differs, and what is refused', async () => {
    const folder = projectFolder()
    const path = engine.newAddress()
    await generateQuietly(projectOf(folder, v1))
    const db = await Valkeyrie.open(path, { migrations: join(folder, 'migrations') })
    await db.set(['users', 'a'], { name: 'Ann' })
    await db.set(['users', 'b'], { name: 7 })
    await db.close()
    const findings = await check(projectOf(folder, v2), path)
    expect(findings.drift.map(({ message }) => message)).toEqual([
      'the schemas have changed since the last migration: run "valkeyrie generate"',
      'index kv_users_level is missing',
    ])
    const { refused, pending, drift } = await check(projectOf(folder, v1), path)
    expect({ pending, drift }).toEqual({ pending: [], drift: [] })
    expect(refused).toMatchObject([{ repository: 'users', rows: 1 }])
    expect(refused[0]!.samples[0]).toContain('["users", "b"]')
  })
})
