import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pgEnum, pgTable, text } from 'drizzle-orm/pg-core'
import fc from 'fast-check'
import type pg from 'pg'
import { Valkeyrie } from 'valkeyrie'
import { migrate, status } from 'valkeyrie/migrate'
import { defineSchema } from 'valkeyrie/schema'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { check } from '../../src/migration/check.ts'
import { generate } from '../../src/migration/generate.ts'
import type { AnyDefinition } from '../../src/schema/definition.types.ts'
import { command } from '../command/command.ts'
import { describeEngine } from '../engines.ts'
import {
  cli,
  generateQuietly,
  importTables,
  migrateQuietly,
  projectFolder,
  projectFor,
  projectOf,
  settingsFor,
  write,
} from '../migrate/project.ts'
import { waitUntil } from '../waiting.ts'
import { byHand } from './database.ts'

const user = z.object({ name: z.string(), city: z.string() })
const users = defineSchema(['users', '*'], user)
const indexed = defineSchema(['users', '*'], user, { indexes: [{ on: 'city' }] })
const unique = defineSchema(['users', '*'], user, { indexes: [{ on: 'city', unique: true }] })
const project = projectFor.bind(null, 'postgres')

/** The address of a server, and the schema of it that an address names. */
function partsOf(address: string): { url: string; schema: string } {
  const url = new URL(address)
  const schema = url.searchParams.get('schema')!
  url.searchParams.delete('schema')
  return { url: url.href, schema }
}

/** Holds a state of the server, for which an index that is built concurrently waits. */
async function holdState(client: pg.Client): Promise<void> {
  await client.query('begin isolation level repeatable read')
  await client.query('select txid_current()')
}

async function isBuilding(client: pg.Client, schema: string): Promise<boolean> {
  const { rows } = await client.query(
    `select 1 from pg_stat_activity where query like 'CREATE INDEX CONCURRENTLY%' || $1 || '%' and wait_event_type = 'Lock'`,
    [schema],
  )
  return rows.length > 0
}

async function indexes(client: pg.Client, schema: string): Promise<Record<string, boolean>> {
  const { rows } = await client.query(
    `select c.relname, i.indisvalid from pg_index i join pg_class c on c.oid = i.indexrelid
      join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname like 'kv\\_users\\_%'`,
    [schema],
  )
  return Object.fromEntries(rows.map(({ relname, indisvalid }) => [relname, indisvalid]))
}

/** A database whose next migration builds an index, and a program that applies it. */
async function upgradeOf(address: string, next = indexed) {
  const folder = projectFolder()
  await generateQuietly(project(folder, users))
  const db = await Valkeyrie.withSchemas([users]).open(address, { migrations: join(folder, 'migrations') })
  await db.repositories.users.insertMany([
    ['ann', { name: 'Ann', city: 'Bonn' }],
    ['bob', { name: 'Bob', city: 'Bonn' }],
  ])
  await generateQuietly(project(folder, next))
  write(
    folder,
    'schemas.ts',
    `${importTables.postgres}
import { defineSchema } from 'valkeyrie/schema'
import { z } from 'zod'
export const users = defineSchema(['users', '*'], z.object({ name: z.string(), city: z.string() }), { indexes: [{ on: 'city' }] })
export const { kv, kvLog, kvCollections } = kvTables([users])`,
  )
  write(folder, 'drizzle.config.ts', settingsFor('postgres'))
  return { folder, db, migrations: join(folder, 'migrations'), project: project(folder, next) }
}

/** A database with a thousand notes, and a project whose next migration builds a search of them. */
async function searchOf(address: string) {
  const folder = projectFolder()
  const migrations = join(folder, 'migrations')
  const note = z.object({ text: z.string() })
  const notes = defineSchema(['notes', '*'], note)
  const searched = defineSchema(['notes', '*'], note, { search: ['text'] })
  await generateQuietly(project(folder, notes))
  const opened = await Valkeyrie.withSchemas([notes]).open(address, { migrations })
  await opened.repositories.notes.insertMany(
    Array.from({ length: 1_000 }, (_, n) => [n, { text: `tea ${n}` }] as const),
  )
  await generateQuietly(project(folder, searched))
  return { folder, migrations, searched, opened }
}

/** Keeps a row in the middle as somebody does who is writing it, which holds the building of a search up there. Returns its key. */
async function holdMiddle(holder: pg.Client, schema: string): Promise<Buffer> {
  const { rows } = await holder.query<{ key: Buffer }>(
    `select key from ${schema}.kv where collection = 'notes' order by key offset 500 limit 1`,
  )
  await holder.query('begin')
  await holder.query(`select from ${schema}.kv where key = $1 for update`, [rows[0]!.key])
  return rows[0]!.key
}

describeEngine('postgres', 'a migration', (engine) => {
  it('builds an index while others write', async () => {
    const address = engine.newAddress()
    const { url, schema } = partsOf(address)
    const { db, project } = await upgradeOf(address)
    const holder = await byHand(url)
    await holdState(holder)
    const migrating = migrateQuietly(project, address)
    const looker = await byHand(url)
    await waitUntil('the index', () => isBuilding(looker, schema))
    await db.repositories.users.set('cid', { name: 'Cid', city: 'Köln' })
    expect(await db.repositories.users.count()).toBe(3)
    await holder.query('rollback')
    expect(await migrating).toEqual(['0001_schemas'])
    expect(await indexes(looker, schema)).toEqual({ kv_users_city: true })
    await db.close()
  })

  it('builds a search while others write', async () => {
    const address = engine.newAddress()
    const { folder, searched, migrations, opened } = await searchOf(address)
    await using db = opened
    const { url, schema } = partsOf(address)
    const holder = await byHand(url)
    const key = await holdMiddle(holder, schema)
    const migrating = migrateQuietly(project(folder, searched), address)
    const looker = await byHand(url)
    await waitUntil('the search', async () => {
      const waiting = await looker.query(
        `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%for share%' || $1 || '%'`,
        [schema],
      )
      return waiting.rows.length > 0
    })
    await db.repositories.notes.set(1, { text: 'changed' })
    await db.repositories.notes.set(999, { text: 'changed' })
    await db.repositories.notes.delete(2)
    await db.repositories.notes.delete(998)
    await holder.query(`update ${schema}.kv set value = '{"text":"held"}' where key = $1`, [key])
    await holder.query('commit')
    expect(await migrating).toEqual(['0001_schemas'])
    await using now = await Valkeyrie.withSchemas([searched]).open(address, { migrations })
    const count = ($search: string) => now.repositories.notes.count({ where: { $search } })
    expect([await count('changed'), await count('held'), await count('tea')]).toEqual([2, 1, 995])
    expect(await Valkeyrie.verify(address)).toMatchObject({ sound: true })
  })

  it('whose search was half built when its process was killed is applied by the next one', async () => {
    const address = engine.newAddress()
    const { folder, searched, migrations, opened } = await searchOf(address)
    await using db = opened
    write(
      folder,
      'schemas.ts',
      `${importTables.postgres}
import { defineSchema } from 'valkeyrie/schema'
import { z } from 'zod'
export const notes = defineSchema(['notes', '*'], z.object({ text: z.string() }), { search: ['text'] })
export const { kv, kvLog, kvCollections } = kvTables([notes])`,
    )
    write(folder, 'drizzle.config.ts', settingsFor('postgres'))
    const { url, schema } = partsOf(address)
    const [holder, looker] = [await byHand(url), await byHand(url)]
    const isFilling = async () => {
      const { rowCount } = await looker.query(
        `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%for share%' || $1 || '%'`,
        [schema],
      )
      return rowCount! > 0
    }
    await holdMiddle(holder, schema)
    const child = spawn(process.execPath, [cli, 'migrate', address], { cwd: folder, stdio: 'ignore' })
    await waitUntil('the search', isFilling)
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    await holder.query('rollback')
    await waitUntil('the end of its statement', async () => !(await isFilling()))
    const { rows: half } = await looker.query(
      `select c.relname as name from pg_class c where c.relnamespace = $1::regnamespace and c.relname ~ '^kv_notes_search_[0-9a-f]+$'`,
      [schema],
    )
    const filled = await looker.query(`select count(*)::int as n from ${schema}.${half[0].name}`)
    expect(filled.rows[0].n).toBeGreaterThan(0)
    expect(filled.rows[0].n).toBeLessThan(1_000)
    // Nobody knows the half of it yet, but whoever writes writes to it, too.
    await db.repositories.notes.set(1, { text: 'changed' })
    await db.repositories.notes.set(999, { text: 'changed' })
    await db.repositories.notes.delete(998)
    expect((await status(address, { folder: migrations })).pending).toEqual(['0001_schemas'])
    expect(await migrateQuietly(project(folder, searched), address)).toEqual(['0001_schemas'])
    await using now = await Valkeyrie.withSchemas([searched]).open(address, { migrations })
    const count = ($search: string) => now.repositories.notes.count({ where: { $search } })
    expect([await count('changed'), await count('tea')]).toEqual([2, 997])
    expect(await Valkeyrie.verify(address)).toMatchObject({ sound: true })
    expect((await status(address, { folder: migrations })).drift).toEqual([])
  })

  it('adds, changes, renames and drops a search', async () => {
    const folder = projectFolder()
    const address = engine.newAddress()
    const post = z.object({ title: z.string(), body: z.string().optional() })
    type Search = { on: ('title' | 'body')[]; tokenizer?: 'porter'; weights?: { body: number } }
    const posts = (search: Search, name = 'posts') => defineSchema(['posts', '*'], post, { name, search })
    const plain = (name: string) => defineSchema(['posts', '*'], post, { name })
    const step = async (definition: AnyDefinition, ...renames: string[]) => {
      const it = project(folder, definition)
      await generateQuietly(it, ...renames)
      await migrateQuietly(it, address)
      expect(await check(it, address)).toMatchObject({ pending: [], drift: [] })
    }
    const opened = (definition: ReturnType<typeof posts>) =>
      Valkeyrie.withSchemas([definition]).open(address, { migrations: join(folder, 'migrations') })
    const count = async (definition: ReturnType<typeof posts>, $search: string) => {
      await using db = await opened(definition)
      return db.repository(definition).count({ where: { $search } })
    }
    await step(plain('posts'))
    {
      await using db = await Valkeyrie.inspect(address)
      await db.set(['posts', 'a'], { title: 'Running', body: 'All the words' })
    }
    await expect(opened(posts({ on: ['title'] }))).rejects.toThrow('run "valkeyrie generate"')
    await step(posts({ on: ['title'] }))
    expect(await count(posts({ on: ['title'] }), 'running')).toBe(1)
    expect(await count(posts({ on: ['title'] }), 'words')).toBe(0)
    const both: Search = { on: ['title', 'body'], tokenizer: 'porter', weights: { body: 2 } }
    await step(posts(both, 'articles'), 'posts=articles')
    expect(await count(posts(both, 'articles'), 'runs word')).toBe(1)
    await step(plain('articles'))
    const { url, schema } = partsOf(address)
    const { rows } = await (await byHand(url)).query(
      `select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = $1 and p.proname like '%\\_search\\_%'
        union all select tgname from pg_trigger where tgrelid = to_regclass($1 || '.kv') and not tgisinternal`,
      [schema],
    )
    expect(rows).toEqual([])
  })

  it('that a database has had, its copy on a server has had, too', async () => {
    const [address, copy] = [engine.newAddress(), engine.newAddress()]
    const { db, migrations, project: next } = await upgradeOf(address)
    await db.close()
    expect((await Valkeyrie.copy(address, copy)).left).toEqual([])
    expect(await migrateQuietly(next, copy)).toEqual(['0001_schemas'])
    const again = engine.newAddress()
    await Valkeyrie.copy(copy, again)
    await using copied = await Valkeyrie.withSchemas([indexed]).open(again, { migrations })
    expect(await copied.repositories.users.count({ where: { city: 'Bonn' } })).toBe(2)
    expect(await status(copied, { folder: migrations })).toMatchObject({ pending: [], drift: [] })
  })

  it('of one engine counts on the other once its copy is taken over', async () => {
    const [address, back] = [engine.newAddress(), engine.newAddress()]
    const { db, migrations, folder } = await upgradeOf(address)
    await db.close()
    const file = join(folder, 'copy.db')
    expect((await Valkeyrie.copy(address, file)).left).toEqual(['__drizzle_migrations'])
    const ofFiles = projectFor('sqlite', projectFolder(), users)
    await generateQuietly(ofFiles)
    await expect(migrate(file, { folder: ofFiles.migrations })).rejects.toThrow(/--baseline/)
    await migrate(file, { folder: ofFiles.migrations, baseline: true, backup: false })
    await (await Valkeyrie.withSchemas([users]).open(file, { migrations: ofFiles.migrations })).close()

    expect((await Valkeyrie.copy(file, back)).left).toEqual(['__drizzle_migrations'])
    await expect(migrate(back, { folder: migrations })).rejects.toThrow(/--baseline/)
    expect((await migrate(back, { folder: migrations, baseline: true })).applied).toEqual([])
    await using copied = await Valkeyrie.withSchemas([indexed]).open(back, { migrations })
    expect(await copied.repositories.users.count({ where: { city: 'Bonn' } })).toBe(2)
  })

  it('keep the releases that they have replaced out of a copy on the other engine, too', async () => {
    const [folder, address, back] = [projectFolder(), engine.newAddress(), engine.newAddress()]
    const next = defineSchema(['users', '*'], z.object({ fullName: z.string(), city: z.string() }))
    for (const of of [users, next]) {
      await generateQuietly(project(folder, of), ...(of === next ? ['users.name=fullName'] : []))
      await migrateQuietly(project(folder, of), address)
    }
    const file = join(folder, 'copy.db')
    expect((await Valkeyrie.copy(address, file)).left).toEqual(['__drizzle_migrations'])
    expect((await Valkeyrie.copy(file, back)).left).toEqual([])
    for (const copy of [file, back]) {
      const old = Valkeyrie.withSchemas([users]).open(copy)
      await expect(old).rejects.toMatchObject({ repository: 'users', replacedBy: '0001_users' })
      await (await Valkeyrie.withSchemas([next]).open(copy)).close()
    }
    await (await Valkeyrie.inspect(back, { readOnly: true })).close()
    await Valkeyrie.copy(address, back, { overwrite: true })
    await expect(Valkeyrie.withSchemas([users]).open(back)).rejects.toThrow(/0001_users/)
  })

  it('whose index was half built when its process was killed is applied by the next one', async () => {
    const address = engine.newAddress()
    const { url, schema } = partsOf(address)
    const { db, folder, project } = await upgradeOf(address)
    await db.close()
    const [holder, looker] = [await byHand(url), await byHand(url)]
    await holdState(holder)
    const child = spawn(process.execPath, [cli, 'migrate', address], { cwd: folder, stdio: 'ignore' })
    await waitUntil('the index', () => isBuilding(looker, schema))
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    // The server goes on for itself until it has an answer for nobody.
    await looker.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where query like 'CREATE INDEX CONCURRENTLY%' || $1 || '%'`,
      [schema],
    )
    await waitUntil('its end', async () => !(await isBuilding(looker, schema)))
    await holder.query('rollback')
    expect(await indexes(looker, schema)).toEqual({ kv_users_city: false })
    expect((await status(address, { folder: project.migrations })).pending).toEqual(['0001_schemas'])
    expect(await migrateQuietly(project, address)).toEqual(['0001_schemas'])
    expect(await indexes(looker, schema)).toEqual({ kv_users_city: true })
    expect((await status(address, { folder: project.migrations })).drift).toEqual([])
  })

  it('of a unique index over equal values names them, and leaves no index', async () => {
    const address = engine.newAddress()
    const { url, schema } = partsOf(address)
    const { db, project } = await upgradeOf(address, unique)
    await expect(migrateQuietly(project, address)).rejects.toThrow(
      'the same values are in ["users","ann"] and ["users","bob"]',
    )
    expect(await indexes(await byHand(url), schema)).toEqual({})
    await db.repositories.users.update('bob', { city: 'Köln' })
    expect(await migrateQuietly(project, address)).toEqual(['0001_schemas'])
    await db.close()
  })

  it('is of one dialect: the other engine refuses it, and says what to do', async () => {
    const address = engine.newAddress()
    const folder = projectFolder()
    await generateQuietly(projectOf(folder, users))
    const other = projectFolder()
    await generateQuietly(project(other, users))
    const path = join(folder, 'data.db')
    for (const [database, root, of, is] of [
      [address, folder, 'sqlite', 'postgresql'],
      [path, other, 'postgresql', 'sqlite'],
    ] as const) {
      const migrations = join(root, 'migrations')
      const refused = {
        code: 'MIGRATION',
        message: expect.stringMatching(`dialect ${of}, but this database uses ${is}: .*dialect: '${is}'`),
      }
      await expect(migrate(database, { folder: migrations })).rejects.toMatchObject(refused)
      await expect(status(database, { folder: migrations })).rejects.toMatchObject(refused)
      await expect(Valkeyrie.open(database, { migrations })).rejects.toMatchObject(refused)
    }
    await expect(generateQuietly({ ...projectOf(other, indexed) })).rejects.toThrow(
      /give each its own folder/,
    )
    const { migrations: modules } = await import(join(other, 'migrations/index.ts'))
    await expect(migrate(path, { modules })).rejects.toThrow(/dialect postgresql/)
    expect((await migrate(address, { modules })).applied).toEqual(['0000_initial'])
  })

  it('is applied in each schema by itself, named by the address, the option or the open database', async () => {
    const [one, two] = [engine.newAddress(), engine.newAddress()]
    const { url, schema } = partsOf(two)
    const { db, migrations: folder } = await upgradeOf(one)
    expect(await migrate(url, { folder, schema })).toEqual({
      applied: ['0000_initial', '0001_schemas'],
      backup: null,
      skipped: 0,
    })
    expect((await status(two, { folder })).pending).toEqual([])
    expect((await status(db, { folder })).pending).toEqual(['0001_schemas'])
    await using other = await Valkeyrie.withSchemas([indexed]).open(url, { schema, migrations: folder })
    expect(await other.repositories.users.count()).toBe(0)
    expect((await status(other, { folder })).applied).toHaveLength(2)
    expect((await migrate(db, { folder })).applied).toEqual(['0001_schemas'])
    expect(await db.repositories.users.count()).toBe(2)
    await db.close()
    const wrong = migrate('./data.db', { folder, schema: 'shop' })
    await expect(wrong).rejects.toThrow(/schema belongs to a server/)
  })

  it('moves fields whose names and texts the server does not have, with what they stand for', async () => {
    // Any UTF-16, including lone surrogates and U+0000, and how the server stores such a text.
    const unit = fc.oneof(
      fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
      fc.constantFrom('\0', '\u0001', '\u0002', '\ud7ff', '\ud800', '\u{10ffff}', '"', '\\', '.', '{', ','),
    )
    const word = fc.array(unit, { maxLength: 6 }).map((units) => units.join(''))
    const meant = fc.oneof(word, fc.date({ noInvalidDate: true }), fc.bigInt(), fc.constant(undefined))
    const fields = fc.dictionary(word, fc.oneof(meant, fc.dictionary(word, meant, { maxKeys: 2 })), {
      maxKeys: 4,
    })
    const value = fc.record({
      home: fields,
      rest: fields,
      gone: fields,
      many: fc.array(fc.bigInt(), { maxLength: 2 }).map((all) => new Set(all)),
    })
    const values = fc.sample(value, { numRuns: 150 })
    // The rows hold more than these tell: they are written without a schema.
    const record = z.record(z.string(), z.string())
    const v1 = defineSchema(['a', '*'], z.object({ home: record, rest: record, gone: record }))
    const v2 = defineSchema(
      ['a', '*'],
      z.object({ house: record, rest: record, more: z.string().default('\0\ud800') }),
    )
    const folder = projectFolder()
    const address = engine.newAddress()
    await generateQuietly(project(folder, v1))
    await migrateQuietly(project(folder, v1), address)
    await using db = await Valkeyrie.open(address)
    await Promise.all(values.map((it, id) => db.set(['a', id], it)))
    const before = await Array.fromAsync(db.list({ prefix: ['a'] }))
    const generated = await generateQuietly(project(folder, v2), 'a.home=house')
    expect(generated?.steps).toEqual([])
    await migrateQuietly(project(folder, v2), address)
    const after = await Array.fromAsync(db.list({ prefix: ['a'] }))
    expect(after.map((it) => it.value)).toStrictEqual(
      before.map((it) => {
        const { home, gone: _, ...others } = it.value as { home: unknown; gone: unknown }
        return { ...others, house: home, more: '\0\ud800' }
      }),
    )
    // As if they had been written so: the order of names, and what each is escaped as.
    const moved = await db.drizzle.select().from(db.tables.kv).orderBy(db.tables.kv.key)
    await Promise.all(after.map(({ key, value }) => db.set(key, value)))
    const written = await db.drizzle.select().from(db.tables.kv).orderBy(db.tables.kv.key)
    const stored = ({ key, value, types, encoding }: (typeof moved)[number]) => ({
      key,
      value,
      types,
      encoding,
    })
    expect(moved.map(stored)).toEqual(written.map(stored))
  })

  it('is applied by one at a time: another one says that it waits, and finds nothing to do', async () => {
    const address = engine.newAddress()
    const { db, project } = await upgradeOf(address)
    const { url } = partsOf(address)
    const holder = await byHand(url)
    await holdState(holder)
    const first = migrateQuietly(project, address)
    const looker = await byHand(url)
    await waitUntil('the index', () => isBuilding(looker, partsOf(address).schema))
    const waits = Promise.withResolvers<string>()
    const second = migrateQuietly(project, address, { line: waits.resolve })
    expect(await waits.promise).toBe('another process migrates this database: waiting for it')
    await holder.query('rollback')
    expect(await Promise.all([first, second])).toEqual([['0001_schemas'], []])
    await db.close()
  })

  it('has tables and types of your own, which drizzle-kit puts into public', async () => {
    const address = engine.newAddress()
    const { url, schema } = partsOf(address)
    const folder = projectFolder()
    const mood = pgEnum(`mood_${schema}`, ['well', 'ill'])
    const reports = pgTable('reports', { body: text('body'), mood: mood('mood') })
    const { exports, ...rest } = project(folder, users)
    const own = { ...rest, exports: { ...exports, mood, reports } }
    await generateQuietly(own)
    await migrateQuietly(own, address)
    const client = await byHand(url)
    await client.query(`insert into ${schema}.reports values ('all', 'well')`)
    const { body: _, ...kept } = { body: text('body'), mood: mood('mood') }
    const next = { ...rest, exports: { ...exports, mood, reports: pgTable('reports', kept) } }
    await expect(generate(next, { renames: [], acceptDataLoss: false, database: address })).rejects.toThrow(
      'lose reports.body (1 row)',
    )
    await generateQuietly(next)
    await migrateQuietly(next, address)
    expect((await client.query(`select * from ${schema}.reports`)).rows).toEqual([{ mood: 'well' }])
    expect(await check(next, address)).toEqual({ pending: [], drift: [], refused: [] })
    await client.query(`drop type public.${mood.enumName} cascade`)
  })

  it('continues after its connections were ended', async () => {
    const address = engine.newAddress()
    const { url, schema } = partsOf(address)
    const { db, project } = await upgradeOf(address)
    const [holder, looker] = [await byHand(url), await byHand(url)]
    await holdState(holder)
    const migrating = migrateQuietly(project, address)
    await waitUntil('the index', () => isBuilding(looker, schema))
    await looker.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where query like 'CREATE INDEX CONCURRENTLY%' || $1 || '%'`,
      [schema],
    )
    await holder.query('rollback')
    expect(await migrating).toEqual(['0001_schemas'])
    expect(await indexes(looker, schema)).toEqual({ kv_users_city: true })
    await db.close()
  })

  it('commands take an address and a schema, and show no password', async () => {
    const address = engine.newAddress()
    const { url, schema } = partsOf(address)
    const { db, folder } = await upgradeOf(address)
    await db.close()
    const valkeyrie = (...args: string[]) => command(folder, ...args, url, '--schema', schema)
    expect(await valkeyrie('status')).toMatchObject({
      code: 2,
      text: 'applied: 0000_initial\npending: 0001_schemas\n',
    })
    expect(await valkeyrie('migrate')).toMatchObject({ code: 0, output: 'Applied 0001_schemas.\n' })
    expect(await valkeyrie('check')).toMatchObject({ code: 0, text: 'All is as declared.\n' })
    write(
      folder,
      'seed.ts',
      "export default (db) => db.repositories.users.set('eve', { name: 'Eve', city: 'Kiel' })\n",
    )
    const seeded = await valkeyrie('seed')
    expect(seeded).toMatchObject({ code: 0, text: expect.stringMatching(/is seeded by seed\.ts/) })
    const reset = await valkeyrie('reset', '--yes')
    expect(reset).toMatchObject({
      code: 0,
      text: expect.stringMatching(/is new\.\n[\s\S]*rows: 3 of users\n/),
    })
    const { password } = new URL(url)
    if (password !== '') expect(seeded.text + reset.text).not.toContain(password)
    await using made = await Valkeyrie.withSchemas([indexed]).open(address, {
      migrations: join(folder, 'migrations'),
    })
    expect(await made.repositories.users.count()).toBe(0)
    await made.repositories.users.set('fay', { name: 'Fay', city: 'Kiel' })
    const client = await byHand(url)
    const { rows } = await client.query(
      "select nspname from pg_namespace where nspname like 'valkeyrie_reset_%'",
    )
    expect(rows).toEqual([])
  })
})
