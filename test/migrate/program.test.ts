import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'rolldown'
import { Valkeyrie } from 'valkeyrie'
import { type MigrateProgress, type MigrationModule, migrate, status } from 'valkeyrie/migrate'
import { defineSchema } from 'valkeyrie/schema'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { generate } from '../../src/migration/generate.ts'
import { generateQuietly, projectFolder, projectOf, run, write } from './project.ts'

// Migrations from a program, without the command.

const v1 = defineSchema(['users', '*'], z.object({ age: z.string() }))
const v2 = defineSchema(['users', '*'], z.object({ age: z.int() }))
const up = 'export const up = ({ age }: { age: string }) => ({ age: Number(age) })\n'

/** A database of the first version with these rows, and the migrations to the second, whose step is filled in. */
async function upgrade(rows: readonly (readonly [number, { age: string }])[], step = up) {
  const root = projectFolder()
  const path = join(root, 'data.db')
  const project = projectOf(root, v1)
  const folder = project.migrations
  await generateQuietly(project)
  {
    await using db = await Valkeyrie.withSchemas([v1]).open(path, { migrations: folder })
    await db.repositories.users.insertMany(rows)
  }
  const { steps } = (await generateQuietly(projectOf(root, v2)))!
  writeFileSync(join(folder, steps[0]!), step)
  const modules = async () => {
    const { migrations } = await import(`${pathToFileURL(join(folder, 'index.ts')).href}`)
    return migrations as readonly MigrationModule[]
  }
  const values = async () => {
    await using db = await Valkeyrie.open(path)
    return await Array.fromAsync(db.list({ prefix: ['users'] }), ({ value }) => value)
  }
  return { root, path, folder, modules, values }
}

const three = [1, 2, 3].map((id) => [id, { age: `${id * 10}` }] as const)
const tags = ['0000_initial', '0001_users']

it.each(['folder', 'modules'] as const)('runs the TypeScript steps of a %s, after a backup', async (kind) => {
  const { path, folder, modules, values } = await upgrade(three)
  const source = kind === 'folder' ? { folder } : { modules: await modules() }
  expect(await status(path, source)).toEqual({
    applied: ['0000_initial'],
    pending: ['0001_users'],
    drift: [],
  })
  const progress: MigrateProgress[] = []
  const migrated = await migrate(path, { ...source, onProgress: (it) => void progress.push(it) })
  const backup = `${path}.before-0001_users`
  expect(migrated).toEqual({ applied: ['0001_users'], backup, skipped: 0 })
  expect(progress.map(({ task }) => task)).toEqual(expect.arrayContaining(['backup', '0001_users.users.ts']))
  expect(progress.at(-1)).toEqual({ task: '0001_users.users.ts', done: 3, total: 3 })
  expect(await values()).toEqual([{ age: 10 }, { age: 20 }, { age: 30 }])
  expect(await status(path, { ...source, schemas: [v2] })).toEqual({ applied: tags, pending: [], drift: [] })
  expect(await migrate(path, source)).toEqual({ applied: [], backup: null, skipped: 0 })
  await using before = await Valkeyrie.open(backup)
  expect((await before.get(['users', 1])).value).toEqual({ age: '10' })
})

it('makes a new database, and one that it migrates can be open, by path or as it is', async () => {
  const { root, path, folder } = await upgrade(three)
  const fresh = join(root, 'fresh.db')
  expect(await status(fresh, { folder })).toEqual({ applied: [], pending: tags, drift: [] })
  expect(existsSync(fresh)).toBe(false)
  expect(await migrate(fresh, { folder })).toEqual({ applied: tags, backup: null, skipped: 0 })

  await using db = await Valkeyrie.withSchemas([v1]).open(path)
  await using plain = await Valkeyrie.open(path)
  expect((await migrate(plain, { folder, backup: false })).applied).toEqual(['0001_users'])
  expect((await plain.get(['users', 1])).value).toEqual({ age: 10 })
  await expect(db.repositories.users.count()).rejects.toMatchObject({
    code: 'MIGRATION',
    repository: 'users',
  })
  expect((await status(db, { folder })).drift).toMatchObject([{ kind: 'schemas' }])
})

it('no migrations at all are an error, and make no file', async () => {
  const root = projectFolder()
  const path = join(root, 'data.db')
  const none = {
    code: 'MIGRATION',
    message: 'There are no migrations in modules: run "valkeyrie generate" first',
  }
  await expect(migrate(path, { modules: [] })).rejects.toMatchObject(none)
  await expect(status(path, { modules: [] })).rejects.toMatchObject(none)
  expect(readdirSync(root)).not.toContain('data.db')
})

it('a migration that would not lead to the schema is reported, with what would differ', async () => {
  const root = projectFolder()
  const indexed = (...fields: ('age' | 'name')[]) =>
    defineSchema(['users', '*'], z.object({ age: z.int(), name: z.string() }), {
      indexes: fields.map((on) => ({ on })),
    })
  const { migrations } = projectOf(root)
  await generateQuietly(projectOf(root, indexed('age')))
  const sql = join(migrations, '0000_initial.sql')
  writeFileSync(sql, readFileSync(sql, 'utf8').replace('"kv_users_age"', '"kv_users_old"'))
  await expect(generateQuietly(projectOf(root, indexed('age', 'name')))).rejects.toThrow(
    'The migration would not lead to the schema: index kv_users_age is missing; index kv_users_old is not declared',
  )
})

it('reports drift as data', async () => {
  const { path, folder } = await upgrade([])
  const indexed = defineSchema(['users', '*'], z.object({ age: z.int() }), { indexes: [{ on: 'age' }] })
  await migrate(path, { folder })
  const { drift } = await status(path, { folder, schemas: [indexed] })
  expect(drift).toEqual([
    expect.objectContaining({ kind: 'schemas', name: null }),
    { kind: 'index', name: 'kv_users_age', message: 'index kv_users_age is missing' },
  ])
  write(folder, '0001_users.sql', `-- edited\n${readFileSync(join(folder, '0001_users.sql'), 'utf8')}`)
  expect((await status(path, { folder })).drift).toEqual([
    { kind: 'modules', name: null, message: expect.stringContaining('index.ts does not match') },
    { kind: 'history', name: '0001_users', message: expect.stringContaining('was edited after') },
  ])
  write(
    folder,
    'meta/_journal.json',
    readFileSync(join(folder, 'meta/_journal.json'), 'utf8').replace(/,\s*\{\s*"idx": 1[^}]*\}/, ''),
  )
  const newer = await status(path, { folder })
  expect([newer.applied, newer.drift.map(({ kind }) => kind)]).toEqual([
    ['0000_initial'],
    ['history', 'modules'],
  ])
})

it('a step that cannot convert rows fails with the first of them as data, or leaves them in a file', async () => {
  const { root, path, modules, values } = await upgrade([...three, [4, { age: 'old' }]])
  const migrations = await modules()
  await expect(migrate(path, { modules: migrations })).rejects.toMatchObject({
    name: 'MigrationError',
    refused: [{ repository: 'users', rows: 1, samples: [expect.stringMatching(/^\["users", 4\]: age: /)] }],
  })
  expect((await values())[0]).toEqual({ age: '10' })
  const skipInvalid = join(root, 'skipped.ndjson')
  const migrated = await migrate(path, { modules: migrations, backup: false, skipInvalid })
  expect(migrated).toEqual({ applied: ['0001_users'], backup: null, skipped: 1 })
  expect(await values()).toEqual([{ age: 10 }, { age: 20 }, { age: 30 }, { age: 'old' }])
  expect(JSON.parse(readFileSync(skipInvalid, 'utf8'))).toMatchObject({
    key: ['users', 4],
    value: { age: 'old' },
  })
})

it('a step that is missing or not filled in is refused, as a module too', async () => {
  const { path, folder, modules } = await upgrade(three)
  const template = readFileSync(join(folder, '0001_users.users.ts'), 'utf8')
  expect(template).toBe(up)
  const [first, second] = (await modules()) as [MigrationModule, MigrationModule]
  const unfilled = () => {
    throw new Error('Fill in 0001_users.users.ts: return the new value of ')
  }
  const steps = { '0001_users.users.ts': { up: unfilled } }
  const migrating = (added: MigrationModule) => migrate(path, { modules: [first, added] })
  await expect(migrating({ ...second, steps })).rejects.toThrow(/is not filled in/)
  await expect(migrating({ ...second, steps: {} })).rejects.toThrow(/needs 0001_users.users.ts/)
  expect((await status(path, { folder })).pending).toEqual(['0001_users'])
})

it('its signal ends it with nothing half done, and it leaves no lock', async () => {
  const { root, path, folder, values } = await upgrade(
    Array.from({ length: 2_500 }, (_, id) => [id, { age: `${id}` }] as const),
  )
  const aborted = AbortSignal.abort(new Error('before'))
  await expect(migrate(path, { folder, signal: aborted })).rejects.toThrow('before')
  for (const task of ['backup', '0001_users.users.ts']) {
    const controller = new AbortController()
    const onProgress = (it: MigrateProgress) => it.task === task && controller.abort(new Error(task))
    await expect(migrate(path, { folder, onProgress, signal: controller.signal })).rejects.toThrow(task)
  }
  expect((await values())[7]).toEqual({ age: '7' })
  expect(readdirSync(root).filter((name) => /migrating|partial/.test(name))).toEqual([])
  const thrown = migrate(path, {
    folder,
    onProgress: () => {
      throw new Error('mine')
    },
  })
  await expect(thrown).rejects.toThrow('mine')
  expect((await migrate(path, { folder })).applied).toEqual(['0001_users'])
  expect((await values())[7]).toEqual({ age: 7 })
})

const folder = './schemas/migrations'
it.each([
  [[':memory:', { folder }], /takes the path of a file/],
  [[undefined, { folder }], /takes the path of a file/],
  [['a.db', {}], /takes migrations: \{ folder/],
  [['a.db', { folder, modules: [] }], /takes migrations: \{ folder/],
  [['a.db', { folder: '' }], /folder must be the path/],
  [['a.db', { modules: [{ tag: 'x' }] }], /modules must be the migrations/],
  ...[{ collections: [] }, { collections: [], steps: [] }, { collections: [], losses: [] }, null].map(
    (values) =>
      [
        ['a.db', { modules: [{ tag: '0000_initial', when: 1, sql: '', values, steps: {} }] }],
        /modules must be the migrations/,
      ] as const,
  ),
  [['a.db', { folder, schemas: [{}] }], /schemas must be an array of definitions/],
  [['a.db', { folder, back: true }], /no option 'back' of/],
  [['a.db', { folder, signal: {} }], /AbortSignal|no option 'signal'/],
  [['a.db', { folder: './nowhere' }], /There are no migrations in/],
] as const)('%j is refused in a sentence', async (args, message) => {
  for (const call of [migrate, status])
    await expect(call(...(args as never as [string, object]))).rejects.toThrow(message)
  expect(existsSync('a.db')).toBe(false)
})

it.each([
  [{ backup: 'x' }, /backup must be true or false/],
  [{ skipInvalid: 1 }, /skipInvalid must be the name/],
  [{ baseline: false }, /baseline must be true, or/],
  [{ onProgress: 1 }, /onProgress must be a function/],
])('migrate refuses %j', async (wrong, message) => {
  await expect(migrate('a.db', { folder, ...wrong } as never)).rejects.toThrow(message)
})

it('a database in memory, and one that is closed, are refused', async () => {
  const db = await Valkeyrie.open()
  await expect(migrate(db, { folder })).rejects.toThrow(/takes the path of a file/)
  await db.close()
  await expect(migrate(db, { folder })).rejects.toMatchObject({ code: 'DATABASE_CLOSED' })
})

it('takes over a database that was created without migrations', async () => {
  const { root, folder } = await upgrade([])
  const path = join(root, 'taken.db')
  {
    await using db = await Valkeyrie.withSchemas([v1]).open(path)
    await db.repositories.users.set(1, { age: '1' })
  }
  await expect(migrate(path, { folder })).rejects.toThrow(/baseline/)
  const { drift } = await status(path, { folder })
  expect(drift).toMatchObject([{ kind: 'history' }])
  const migrated = await migrate(path, { folder, baseline: true })
  expect(migrated).toEqual({ applied: ['0001_users'], backup: `${path}.before-baseline`, skipped: 0 })
})

it('takes over a database as of the migration whose schemas it has, and asks which one if there is none', async () => {
  const { root, folder } = await upgrade([])
  const path = join(root, 'new.db')
  {
    await using db = await Valkeyrie.withSchemas([v2]).open(path)
    await db.repositories.users.set(1, { age: 1 })
  }
  expect(await migrate(path, { folder, baseline: true })).toMatchObject({ applied: [], skipped: 0 })
  {
    await using db = await Valkeyrie.withSchemas([v2]).open(path, { migrations: folder })
    expect((await db.repositories.users.get(1)).value).toStrictEqual({ age: 1 })
  }

  const other = join(root, 'other.db')
  await (await Valkeyrie.withSchema(['users', '*'], z.object({ age: z.boolean() })).open(other)).close()
  await expect(migrate(other, { folder, baseline: true })).rejects.toThrow(
    /No migration leads to the schemas that the database has of 'users'.*one of 0000_\w+, 0001_users/,
  )
  expect(existsSync(`${other}.before-baseline`)).toBe(false)
  expect(await migrate(other, { folder, baseline: '0001_users' })).toMatchObject({ applied: [] })
})

it('asks which migration a database has had if the schemas do not tell whether values were changed', async () => {
  const { root, folder } = await upgrade([])
  const { steps } = (await generate(projectOf(root, v2), {
    custom: 'users',
    name: 'older',
    renames: [],
    acceptDataLoss: false,
  }))!
  writeFileSync(join(folder, steps[0]!), 'export const up = ({ age }) => ({ age: age + 1 })')
  const path = join(root, 'taken.db')
  {
    await using db = await Valkeyrie.withSchemas([v2]).open(path)
    await db.repositories.users.set(1, { age: 1 })
  }
  await expect(migrate(path, { folder, baseline: true })).rejects.toThrow(
    /Several migrations lead to the schemas that the database has of 'users'.*one of 0001_users, 0002_older$/,
  )
  expect(await migrate(path, { folder, baseline: '0001_users' })).toMatchObject({ applied: ['0002_older'] })
  await using db = await Valkeyrie.open(path)
  expect((await db.get(['users', 1])).value).toEqual({ age: 2 })
})

it.each(['backup', '0001_users.users.ts'])(
  'a process that is killed in its %s leaves the old state, and the next call finishes',
  async (task) => {
    const rows = Array.from({ length: 2_500 }, (_, id) => [id, { age: `${id}` }] as const)
    const { root, path, folder, values } = await upgrade(rows)
    // In the task that its argument names, it waits to be killed.
    write(
      root,
      'program.ts',
      `import { writeSync } from 'node:fs'
import { migrate } from 'valkeyrie/migrate'
import { migrations } from './migrations/index.ts'
const onProgress = ({ task, done }: { task: string, done: number }) => {
  if (task !== process.argv[2] || done === 0) return
  writeSync(1, 'in it')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}
const { applied } = await migrate('data.db', { modules: migrations, onProgress })
writeSync(1, JSON.stringify(applied))`,
    )
    const child = spawn(process.execPath, ['program.ts', task], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    child.stdout.once('data', () => child.kill('SIGKILL'))
    const [, signal] = await once(child, 'close')
    expect(signal).toBe('SIGKILL')
    expect(await status(path, { folder })).toEqual({
      applied: ['0000_initial'],
      pending: ['0001_users'],
      drift: [],
    })
    expect((await values())[7]).toEqual({ age: '7' })

    const again = await run(root, ['program.ts'])
    expect(again).toMatchObject({ code: 0, text: '["0001_users"]' })
    expect(await values()).toEqual(rows.map(([age]) => ({ age })))
    expect(readdirSync(root).filter((name) => /migrating|partial/.test(name))).toEqual([])
    expect(await Valkeyrie.verify(path)).toMatchObject({ sound: true, rows: rows.length })
  },
)

it('runs the steps of a bundled program, without a folder', async () => {
  const { root, folder, values } = await upgrade(three)
  const text = `import { migrate } from 'valkeyrie/migrate'
import { migrations } from './migrations/index.ts'
console.log(JSON.stringify(await migrate('data.db', { modules: migrations, backup: false })))`
  write(root, 'program.ts', text)
  await build({
    input: join(root, 'program.ts'),
    platform: 'node',
    external: ['better-sqlite3'],
    output: { dir: join(root, 'bundle'), minify: true },
    logLevel: 'silent',
  })
  for (const path of [folder, join(root, 'node_modules')]) rmSync(path, { recursive: true })
  const { text: printed } = await run(root, ['bundle/program.js'])
  expect(JSON.parse(printed)).toEqual({ applied: ['0001_users'], backup: null, skipped: 0 })
  expect(await values()).toEqual([{ age: 10 }, { age: 20 }, { age: 30 }])
})

const none = z.undefined()
const beyondJsonSchema: readonly (readonly [string, z.ZodType, unknown])[] = [
  ['a pattern with the flag i', z.string().regex(/^[a-z-]+$/i), 'ABC'],
  ['a pattern with the flag s', z.string().regex(/^<.*>$/s), '<a\nb>'],
  ['a pattern without flags', z.string().regex(/^..$/), '😀'],
  ['an address', z.url(), 'http://münchen.de/straße'],
  ['undefined', z.union([z.int(), none]), undefined],
  ['an item that is undefined', z.tuple([z.string(), z.int().optional()]), ['a', undefined]],
  ['Infinity', z.union([z.int(), z.literal(Number.POSITIVE_INFINITY)]), Number.POSITIVE_INFINITY],
]

it.each(beyondJsonSchema)('a step gives the same with schemas and without: %s', async (_, schema, it) => {
  const root = projectFolder()
  const before = defineSchema(['users', '*'], z.object({ n: z.string(), it: schema }))
  const after = defineSchema(['users', '*'], z.object({ n: z.int(), it: schema }))
  const project = projectOf(root, before)
  await generateQuietly(project)
  const paths = ['with.db', 'without.db'].map((name) => join(root, name))
  for (const path of paths) {
    await using db = await Valkeyrie.withSchemas([before]).open(path, { migrations: project.migrations })
    await db.repositories.users.set('a', { n: '5', it })
  }
  const { steps } = (await generateQuietly(projectOf(root, after)))!
  const text = 'export const up = (old: { n: string }) => ({ ...old, n: Number(old.n) })\n'
  writeFileSync(join(project.migrations, steps[0]!), text)
  const values = []
  for (const [at, path] of paths.entries()) {
    const schemas = at === 0 ? { schemas: [after] } : {}
    await migrate(path, { folder: project.migrations, backup: false, ...schemas })
    await using db = await Valkeyrie.open(path)
    values.push((await db.get(['users', 'a'])).value)
  }
  expect(values).toStrictEqual([
    { n: 5, it },
    { n: 5, it },
  ])
})

it('snapshots of earlier releases, without what JSON Schema does not say, need no migration', async () => {
  const root = projectFolder()
  const fields = beyondJsonSchema.map(([name, schema]) => [name, schema] as const)
  const users = defineSchema(['users', '*'], z.object(Object.fromEntries(fields)))
  const project = projectOf(root, users)
  await generateQuietly(project)
  const path = join(project.migrations, '0000_initial.values.json')
  const text = readFileSync(path, 'utf8')
  const earlier = JSON.stringify(
    JSON.parse(text, (keyword, value) =>
      ['flags', 'also', 'undefinedItems'].includes(keyword) ? undefined : value,
    ),
  )
  expect(JSON.stringify(JSON.parse(text)).length).toBeGreaterThan(earlier.length)
  writeFileSync(path, earlier)
  expect(await generateQuietly(project)).toEqual({ tag: null, files: ['index.ts'], steps: [] })
  expect(readFileSync(path, 'utf8')).toBe(earlier)
  const database = join(root, 'data.db')
  await migrate(database, { folder: project.migrations })
  const { drift } = await status(database, { folder: project.migrations, schemas: [users] })
  expect(drift).toEqual([])
})
