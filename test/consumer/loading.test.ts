import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { projectFolder, root, write } from '../migrate/project.ts'
import { temporaryFolder } from '../temporary-folder.ts'

// What the built package loads, by what a program does with it.

const path = temporaryFolder()

/** Prints the URL of each module that is loaded after it. */
const printing = `
import { registerHooks } from 'node:module'
import { writeSync } from 'node:fs'
registerHooks({
  load(url, context, next) {
    writeSync(1, \`loaded \${url}\\n\`)
    return next(url, context)
  },
})`

/** The packages of others that a program loads, and the files of this one. */
function load(cwd: string, ...args: readonly string[]) {
  const hooks = path('hooks.mjs')
  writeFileSync(hooks, printing)
  const printed = execFileSync(process.execPath, ['--import', hooks, ...args], { cwd, encoding: 'utf8' })
  const urls = [...printed.matchAll(/^loaded (file:.*)$/gm)].map(([, url]) => url!)
  const packages = urls.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? [])
  const files = urls.flatMap((url) => /\/dist\/(?:chunks\/)?([^/]+)\.js$/.exec(url)?.[1] ?? [])
  return { packages: [...new Set(packages)], files, printed }
}

const program = (text: string) => ['--input-type=module', '--eval', text]

it('a schema module loads no engine, no other package, and little code', () => {
  const { packages, files } = load(root, ...program("import 'valkeyrie/schema'"))
  expect(packages).toEqual([])
  expect(files).toEqual(['schema', 'declaration'])
})

it('importing the package loads no engine', () => {
  expect(load(root, ...program("import 'valkeyrie'")).packages).toEqual([])
})

it('a program that opens a database and reads it loads better-sqlite3 alone, and nothing of migrations', () => {
  const text = `
    import { Valkeyrie } from 'valkeyrie'
    await using db = await Valkeyrie.open(${JSON.stringify(path())})
    await db.get(['a'])`
  const { packages, files } = load(root, ...program(text))
  expect(packages).toEqual(['better-sqlite3'])
  expect(files.toSorted()).toEqual(['declaration', 'engine', 'index', 'valkeyrie'])
})

it('a start loads no part of Node.js that costs milliseconds', () => {
  const start = path('start.mjs')
  writeFileSync(
    start,
    `import { Valkeyrie } from ${JSON.stringify(pathToFileURL(join(root, 'dist/index.js')).href)}
    await using db = await Valkeyrie.open(${JSON.stringify(path())})
    await db.get(['a'])
    const loaded = JSON.stringify(process.moduleLoadList)
    process.stdout.write(loaded)`,
  )
  const loaded = JSON.parse(execFileSync(process.execPath, [start], { encoding: 'utf8' })) as string[]
  const costly = [
    'assert',
    'crypto',
    'internal/util/comparisons',
    'perf_hooks',
    'stream',
    'worker_threads',
    'zlib',
  ]
  expect(loaded).toContain('NativeModule fs')
  expect(costly.filter((name) => loaded.includes(`NativeModule ${name}`))).toEqual([])
})

it('the code of schemas is loaded by a database with some, that of units and snapshots by the first of them', () => {
  const text = `
    import { writeSync } from 'node:fs'
    import { Valkeyrie } from 'valkeyrie'
    const standard = { version: 1, vendor: 'own', validate: (value) => ({ value }) }
    await using db = await Valkeyrie.withSchema(['a', '*'], { '~standard': standard }).open()
    writeSync(1, 'opened\\n')
    await db.repositories.a.set('b', 1)
    await db.repositories.a.count()
    await db.unitOfWork((unit) => unit.set(['a', 'c'], 2))
    await db.snapshot((view) => view.get(['a', 'c']))`
  const { files, printed } = load(root, ...program(text))
  const later = printed.slice(printed.indexOf('opened')).match(/[\w-]+(?=\.js$)/gm)
  expect(later).toEqual(['units', 'snapshot'])
  expect(files.slice(0, -2).toSorted()).toEqual(['declaration', 'engine', 'index', 'schemas', 'valkeyrie'])
})

it("check loads no Zod where the project's schemas are of another library", () => {
  const folder = projectFolder()
  write(
    folder,
    'drizzle.config.ts',
    "export default { dialect: 'sqlite', schema: './schemas.ts', out: './out' }",
  )
  write(
    folder,
    'schemas.ts',
    `import * as v from 'valibot'
    import { defineSchema, kvTables } from 'valkeyrie/schema'
    export const users = defineSchema(['users', '*'], v.object({ name: v.string() }))
    export const { kv, kvLog, kvCollections } = kvTables([users])`,
  )
  const cli = join(root, 'dist/cli/main.js')
  execFileSync(process.execPath, [cli, 'generate'], { cwd: folder })
  execFileSync(process.execPath, [cli, 'migrate', 'users.db'], { cwd: folder })
  const { packages, printed } = load(folder, cli, 'check', 'users.db')
  expect(printed).toContain('All is as declared.')
  expect(packages).toContain('valibot')
  expect(packages).not.toContain('zod')
})
