import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { defineSchema } from 'valkeyrie/schema'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { generate } from '../../src/migration/generate.ts'
import { init } from '../../src/migration/init.ts'
import { databaseOf, loadProject } from '../../src/migration/project.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { cli, generateQuietly, projectFolder, projectOf, root, run, write } from './project.ts'

const module = (name: string) => `import { defineSchema } from 'valkeyrie/schema'
import { z } from 'zod'
export const definition = defineSchema(['${name}', '*'], z.object({ n: z.number() }))
`
const tables = (...names: string[]) => `import { kvTables } from 'valkeyrie/schema'
${names.map((name) => `import { definition as ${name} } from './${name}.ts'`).join('\n')}
export const { kv, kvLog, kvCollections } = kvTables([${names.join(', ')}])
`
const settings = (rest: object = {}) =>
  `export default ${JSON.stringify({ dialect: 'sqlite', schema: './schemas/*.ts', out: './migrations', ...rest })}`

/** A project with two schema modules that export their definitions under the same name. */
function twoModules(config: string): string {
  const folder = projectFolder()
  write(folder, 'schemas/users.ts', module('users'))
  write(folder, 'schemas/posts.ts', module('posts'))
  write(folder, 'schemas/tables.ts', tables('users', 'posts'))
  write(folder, 'drizzle.config.ts', config)
  return folder
}

describe('the settings', () => {
  it.each([
    ['a pattern', './schemas/*.ts'],
    ['a folder', './schemas'],
    ['files', ['./schemas/tables.ts', './schemas/users.ts', './schemas/posts.ts']],
  ])('name the schema modules as %s, and lose no definition if two have one name', async (_, schema) => {
    const { definitions } = await loadProject(twoModules(settings({ schema })))
    expect(definitions.map(({ name }) => name).sort()).toEqual(['posts', 'users'])
  })

  it('take an exported queue for the definitions of its rows, exported beside it or not', async () => {
    const folder = twoModules(settings())
    write(
      folder,
      'schemas/tables.ts',
      `import { queue } from 'valkeyrie/queue'
import { kvTables } from 'valkeyrie/schema'
import { z } from 'zod'
import { definition as posts } from './posts.ts'
import { definition as users } from './users.ts'
export const jobs = queue('jobs', z.object({ n: z.int() }))
export const mails = queue('mails', z.object({ to: z.string() }))
export const [mailRows] = mails.definitions
export const { kv, kvLog, kvCollections } = kvTables([users, posts, ...jobs.definitions, ...mails.definitions])
`,
    )
    const { definitions } = await loadProject(folder)
    const ofQueue = (name: string) => ['', 'Dead', 'Keys', 'Lines', 'Schedules'].map((rows) => name + rows)
    expect(definitions.map(({ name }) => name).sort()).toEqual([
      ...ofQueue('jobs'),
      ...ofQueue('mails'),
      'posts',
      'users',
    ])
    expect(await run(folder, [cli, 'generate'])).toMatchObject({ code: 0 })
  })

  it('can be used from another folder', async () => {
    const folder = twoModules(settings({ dbCredentials: { url: 'file:./data.db' } }))
    mkdirSync(join(folder, 'inner'))
    const project = await loadProject(join(folder, 'inner'), '../drizzle.config.ts')
    expect(project.migrations).toBe(join(folder, 'migrations'))
    expect(databaseOf(project, undefined)).toBe(join(folder, 'data.db'))
    expect(databaseOf(project, 'other.db')).toBe(resolve('other.db'))
    expect(() => databaseOf(project, ':memory:')).toThrow(/name a file/)
  })

  it.each([
    [
      "throw new Error('no luck')",
      /drizzle\.config\.ts cannot be loaded: no luck \(at \/.*drizzle\.config\.ts:1:7\)/,
    ],
    ['export default {{', /cannot be loaded: .* \(at \/.*drizzle\.config\.ts:1\)/],
    ["throw 'a text'", /cannot be loaded: a text/],
    ["import 'nothing'", /cannot be loaded: .*nothing/],
    ['export const x = 1', /needs a default export/],
    ["export default { dialect: 'mysql', schema: 'x' }", /needs a default export/],
    [settings({ schema: './none.ts' }), /names the schema \.\/none\.ts, but there is no such file/],
    [settings({ schema: './schemas/users.ts' }), /exports no tables/],
  ])('%s', async (config, message) => {
    expect(await run(twoModules(config), [cli, 'generate'])).toMatchObject({
      code: 1,
      text: expect.stringMatching(message),
    })
  })

  it('of a package of CommonJS say so, and those that are missing', async () => {
    const folder = twoModules(settings())
    write(folder, 'package.json', '{ "type": "commonjs" }')
    expect(await run(folder, [cli, 'generate'])).toMatchObject({
      code: 1,
      text: expect.stringMatching(/write "type": "module" into package\.json/),
    })
    await expect(loadProject(folder, 'none.ts')).rejects.toThrow(`There is no ${join(folder, 'none.ts')}`)
  })

  it('of a schema module that throws name its line', async () => {
    const folder = twoModules(settings())
    write(folder, 'schemas/users.ts', `${module('users')}\ndefineSchema(['x'], 1 as any)`)
    expect((await run(folder, [cli, 'generate'])).text).toMatch(
      /must be a Standard Schema .* \(at \/.*schemas\/users\.ts:5:1\)/,
    )
  })
})

describe('generate', () => {
  const users = defineSchema(['users', '*'], z.object({ a: z.string() }))

  it.each([
    ['meta/_journal.json', '{'],
    ['meta/_journal.json', '{}'],
    ['meta/0000_snapshot.json', '{'],
    ['0000_initial.values.json', '{'],
    ['0000_initial.values.json', '{}'],
  ])('names %s if it is %s', async (file, text) => {
    const folder = projectFolder()
    const project = projectOf(folder, users)
    await generateQuietly(project)
    writeFileSync(join(project.migrations, file), text)
    await expect(generateQuietly(project)).rejects.toMatchObject({
      code: 'MIGRATION',
      message: expect.stringContaining(file),
    })
  })

  it('refuses names and renames that mean nothing, whatever has changed', async () => {
    const folder = projectFolder()
    const project = projectOf(folder, users)
    const options = { renames: [], acceptDataLoss: false }
    await generateQuietly(project)
    for (const name of ['../x', '', 'a b'])
      await expect(generate(project, { ...options, name })).rejects.toThrow(/becomes the name of a file/)
    for (const text of ['x', '=x', '.a=b'])
      await expect(generate(project, { ...options, renames: [text] })).rejects.toThrow(/names no change/)
    const renames = ['users.a=b']
    await expect(generate(project, { ...options, renames })).rejects.toThrow(/names nothing that has changed/)
    await expect(
      generate(projectOf(folder, defineSchema(['users', '*'], z.object({}))), {
        ...options,
        database: join(folder, 'none.db'),
      }),
    ).rejects.toMatchObject({ code: 'DATABASE_OPEN' })
  })

  it('reports a schema whose changes it cannot see, and renames that nobody was asked about', async () => {
    const folder = projectFolder()
    const told: string[] = []
    const options = { renames: [], acceptDataLoss: true, tell: (text: string) => told.push(text) }
    const { version, vendor, validate } = z.string()['~standard']
    const untold = defineSchema(['plain', '*'], { '~standard': { version, vendor, validate } })
    await generate(projectOf(folder, untold, users), options)
    expect(told).toEqual([expect.stringMatching(/schema of plain gives no JSON Schema/)])
    told.length = 0
    await generate(projectOf(folder, users, defineSchema(['plain', '*'], z.string())), options)
    const renamed = defineSchema(['users', '*'], z.object({ b: z.string() }))
    await generate(projectOf(folder, renamed, defineSchema(['plain', '*'], z.string())), options)
    expect(told).toEqual(['Not taken for a rename: --rename users.a=b'])
  })
})

describe('init', () => {
  it('writes what is missing, in the manner of what is there, and loads without drizzle-kit', async () => {
    const folder = projectFolder()
    const manifest = '{\n\t"type": "module",\n\t"scripts": {\n\t\t"db:check": "mine"\n\t}\n}\n'
    write(folder, 'package.json', manifest)
    expect(init(folder)).toEqual({
      written: ['drizzle.config.ts', 'schemas/index.ts', 'package.json'],
      install: ['npm install valkeyrie zod', 'npm install --save-dev drizzle-kit'],
      schemas: 'schemas/index.ts',
    })
    expect(readFileSync(join(folder, 'package.json'), 'utf8')).toBe(
      manifest.replace(
        '"mine"',
        '"mine",\n\t\t"db:generate": "valkeyrie generate",\n\t\t"db:migrate": "valkeyrie migrate"',
      ),
    )
    expect(readFileSync(join(folder, 'drizzle.config.ts'), 'utf8')).toContain(
      "import type { Config } from 'drizzle-kit'",
    )
    expect(init(folder).written).toEqual([])
    expect((await loadProject(folder)).definitions.map(({ name }) => name)).toEqual(['users'])
  })

  it('makes a project that can migrate a database without drizzle-kit', async () => {
    const path = temporaryFolder()
    const folder = path('project')
    for (const name of ['valkeyrie', 'zod']) {
      mkdirSync(join(folder, 'node_modules'), { recursive: true })
      const target = name === 'zod' ? join(root, 'node_modules/zod') : root
      symlinkSync(target, join(folder, 'node_modules', name))
    }
    init(folder)
    expect(await run(folder, [cli, 'generate'])).toMatchObject({
      code: 1,
      text: '"valkeyrie generate" needs drizzle-kit: npm install --save-dev drizzle-kit\n',
    })
    const { definitions } = await loadProject(folder)
    await generate(
      { ...projectOf(projectFolder(), ...definitions), migrations: join(folder, 'schemas/migrations') },
      { renames: [], acceptDataLoss: false },
    )
    expect(await run(folder, [cli, 'migrate'])).toMatchObject({ code: 0 })
    expect(await run(folder, [cli, 'check'])).toMatchObject({ code: 0 })
    write(
      folder,
      'drizzle.config.ts',
      "import { defineConfig } from 'drizzle-kit'\nexport default defineConfig({})",
    )
    expect((await run(folder, [cli, 'migrate'])).text).toMatch(/imports drizzle-kit, which is not installed/)
  })

  it('leaves a configuration in another file alone, and a package.json that it cannot read', () => {
    const folder = projectFolder()
    write(folder, 'drizzle.config.mjs', settings())
    expect(init(folder).written).not.toContain('drizzle.config.ts')
    write(folder, 'package.json', '{')
    expect(() => init(folder)).toThrow(/package\.json cannot be read/)
  })
})
