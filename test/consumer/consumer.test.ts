import { execFile, execFileSync, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, posix } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'rolldown'
import { openKv, serve } from 'valkeyrie/deno'
import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { installPackages } from '../../bench/packages/install.ts'
import manifest from '../../package.json' with { type: 'json' }
import { anchorsOf } from '../anchors.ts'
import { served } from '../deno/served.ts'
import { extent, inTurn } from '../extent.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { waitFor } from '../waiting.ts'

// The package as npm packs it, in a project that has nothing but what the package depends on.

const root = join(import.meta.dirname, '../..')
const packages = join(import.meta.dirname, 'packages')
const path = temporaryFolder()
/** Apart: nothing above it has packages. */
const elsewhere = temporaryFolder()
const project = path('project')
const program = join(project, 'users.js')

const expected = {
  born: '1970-01-01T00:00:00.000Z',
  count: '2',
  inUsers: [{ name: 'Alice' }],
  seen: [null, 'Alice'],
  rows: 2,
  called: [{ name: 'Alice' }],
  isTable: true,
  indexes: ['kv_collection', 'kv_expires_at', 'kv_users_name_unique'],
}

/** The packed file, and the files in it with their sizes in bytes. */
let packed: string
let files: readonly { readonly path: string; readonly size: number }[]
let notInstalled: string | null

beforeAll(() => {
  notInstalled = installPackages(packages)
  ;({ packed, files } = pack())
  const modules = join(project, 'node_modules')
  mkdirSync(join(modules, '.bin'), { recursive: true })
  execFileSync('tar', ['-xzf', packed], { cwd: path('.') })
  symlinkSync(path('package'), join(modules, 'valkeyrie'))
  linkInto(modules, Object.keys(manifest.dependencies))
  symlinkSync(modules, path('node_modules'))
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
  const source = readFileSync(join(import.meta.dirname, 'programs/users.ts'), 'utf8')
  writeFileSync(program, stripTypeScriptTypes(source))
})

function linkInto(modules: string, names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
}

function pack() {
  const npm = process.env['npm_execpath']
  const [command, ...before] = npm === undefined ? ['npm'] : [process.execPath, npm]
  const args = [...before, 'pack', '--ignore-scripts', '--json', '--pack-destination', path('.')]
  const [told] = JSON.parse(execFileSync(command!, args, { cwd: root, encoding: 'utf8' }))
  return { packed: join(path('.'), told.filename), files: told.files }
}

const run = (command: string, ...args: readonly string[]) =>
  JSON.parse(execFileSync(command, args, { cwd: project, encoding: 'utf8' }))

const node = process.execPath

it('runs no script where it is installed', () => {
  expect(Object.keys(manifest.scripts)).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^(pre|post)?install$/)]),
  )
})

const megabyte = 1_000_000

/** What `valkeyrie`, its command and these load. What only the other subpaths load is no weight of a program that does without them. */
const core = ['.', './schema', './migrate', './KvU64'] as const

/** What is loaded only where it is asked for by name: another engine, the studio. */
const apart = /^dist\/(studio\/|driver\/postgres\/|chunks\/postgres)/

it('has a core of less than a megabyte unpacked, and less than three with all else', () => {
  const entries = [...core.flatMap((name) => Object.values(manifest.exports[name])), manifest.bin.valkeyrie]
  const loaded = loadedBy(entries.map((name) => posix.normalize(name)))
  const sizes = files.map((file) => {
    const isOfSubpath = /^dist\/.*\.[jt]s$/.test(file.path) && !loaded.has(file.path)
    return { ...file, isCore: !isOfSubpath && !file.path.startsWith('docs/') }
  })
  const sum = (parts: typeof files) => parts.reduce((bytes, { size }) => bytes + size, 0)
  expect(sum(sizes.filter(({ isCore }) => isCore))).toBeLessThan(megabyte)
  expect(sum(files)).toBeLessThan(3 * megabyte)
})

/** The packed files that these import, and theirs. */
function loadedBy(entries: readonly string[]): ReadonlySet<string> {
  const packedFiles = new Set(files.map((file) => file.path))
  const loaded = new Set(entries)
  for (const file of loaded) {
    const code = readFileSync(join(path('package'), file), 'utf8')
    for (const [, name] of code.matchAll(/\b(?:from|import)\s*\(?\s*["'`](\.{1,2}\/[^"'`]+)["'`]/g)) {
      const target = posix.join(posix.dirname(file), name!)
      const found = file.endsWith('.d.ts') ? target.replace(/\.js$/, '.d.ts') : target
      if (packedFiles.has(found) && !apart.test(found)) loaded.add(found)
    }
  }
  return loaded
}

it('shows an uncaught error on a screen, without pages of minified code before it', () => {
  const source = `import { Valkeyrie } from 'valkeyrie'; await (await Valkeyrie.open()).get([])`
  const { status, stderr } = spawnSync(node, ['--input-type=module', '-e', source], {
    cwd: project,
    encoding: 'utf8',
  })
  expect(status).toBe(1)
  expect(stderr).toMatch(/^TypeError: .*key/m)
  expect(stderr.length).toBeLessThan(4_000)
})

it('has no source map that leads nowhere', () => {
  const code = files.map((file) => file.path).filter((name) => /\.[jt]s$/.test(name))
  expect(code).toContain('dist/index.js')
  const mapped = code.filter((file) =>
    readFileSync(join(path('package'), file), 'utf8').includes('sourceMappingURL'),
  )
  expect(mapped).toEqual([])
})

it('has pages that link to what is packed, or to a whole address', () => {
  const read = (file: string) =>
    readFileSync(join(path('package'), file), 'utf8').replace(/^```[\s\S]*?^```$/gm, '')
  const packedFiles = new Set(files.map((file) => file.path))
  const pages = [...packedFiles].filter((file) => file.endsWith('.md'))
  expect(pages).toEqual(expect.arrayContaining(['README.md', 'CHANGELOG.md', 'docs/api/README.md']))
  // Changesets become a part of CHANGELOG.md.
  const changesets = globSync('.changeset/*.md', { cwd: root, exclude: ['.changeset/README.md'] })
  const texts = [
    ...pages.map((page) => [page, read(page)] as const),
    ...changesets.map((file) => ['CHANGELOG.md', readFileSync(join(root, file), 'utf8')] as const),
  ]
  const links = texts.flatMap(([page, text]) =>
    [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => [page, link!] as const),
  )
  expect(links.length).toBeGreaterThan(300)
  const anchors = new Map(pages.map((page) => [page, anchorsOf(read(page))]))
  const dead = links.filter(([page, link]) => {
    if (/^https:/.test(link)) return false
    const [file, anchor] = link.split('#')
    const target = file === '' ? page : posix.join(posix.dirname(page), file!)
    if (!packedFiles.has(target)) return true
    return anchor !== undefined && !anchors.get(target)?.has(anchor)
  })
  expect(dead).toEqual([])
})

it("works with what it depends on alone, and with the user's own drizzle-orm", () => {
  expect(run(node, program, path())).toEqual(expected)
})

it.for(inTurn('bundlers', ['esbuild', 'vite', 'webpack'], 3))(
  'works in a bundle by %s',
  (bundler, { skip }) => {
    skip(notInstalled !== null, notInstalled ?? '')
    const bundle = join(project, `${bundler}.js`)
    execFileSync(node, [join(packages, `${bundler}.js`), program, bundle], { stdio: 'pipe' })
    expect(run(node, bundle, path())).toEqual(expected)
  },
)

const runtimes = [
  ['Bun by better-sqlite3', 'bun', []],
  ['Bun by node:sqlite', 'bun', [], 'node:sqlite'],
  ['Deno by better-sqlite3', 'deno', ['run', '--allow-all']],
] as const

it.for(inTurn('runtimes', runtimes, 3))('works on %s', ([, name, args, ...engine], { skip }) => {
  const runtime = join(packages, 'node_modules/.bin', name)
  // Neither has binaries for every machine.
  skip(spawnSync(runtime, ['--version']).status !== 0, `${name} is not installed`)
  expect(run(runtime, ...args, program, path(), ...engine)).toEqual(expected)
})

it('refuses the node:sqlite of Deno, whose texts end at U+0000', ({ skip }) => {
  const deno = join(packages, 'node_modules/.bin/deno')
  skip(spawnSync(deno, ['--version']).status !== 0, 'deno is not installed')
  const { stderr } = spawnSync(deno, ['run', '--allow-all', program, path(), 'node:sqlite'], {
    encoding: 'utf8',
  })
  expect(stderr).toContain('this runtime has no node:sqlite, or one that cuts texts off at U+0000')
})

/** A project without better-sqlite3, and the program in it. */
function bareProject(source: string): string {
  const bare = elsewhere(source)
  const modules = join(bare, 'node_modules')
  cpSync(path('package'), join(modules, 'valkeyrie'), { recursive: true })
  linkInto(
    modules,
    Object.keys(manifest.dependencies).filter((name) => name !== 'better-sqlite3'),
  )
  writeFileSync(join(bare, 'package.json'), '{ "type": "module" }')
  const text = readFileSync(join(import.meta.dirname, 'programs', source), 'utf8')
  writeFileSync(join(bare, 'program.js'), stripTypeScriptTypes(text))
  return bare
}

it('works on node:sqlite without better-sqlite3, and so do its commands', () => {
  const bare = bareProject('users.ts')
  const file = path()
  expect(run(node, join(bare, 'program.js'), file)).toEqual(expected)
  const cli = join(bare, 'node_modules/valkeyrie/dist/cli/main.js')
  expect(run(node, cli, 'doctor', file, '--json')).toMatchObject({ sound: true })
  const asking = `import { Valkeyrie } from 'valkeyrie'; await Valkeyrie.open('a.db', { engine: 'better-sqlite3' })`
  const args = ['--input-type=module', '-e', asking]
  const asked = spawnSync(node, args, { cwd: bare, encoding: 'utf8' })
  expect(asked.stderr).toContain('better-sqlite3 cannot be loaded: run "npm install better-sqlite3"')
})

it('works in a single executable file, which needs no other file', async ({ skip }) => {
  const bare = bareProject('one-file.ts')
  const main = join(bare, 'main.cjs')
  await build({
    input: join(bare, 'program.js'),
    output: { file: main, format: 'cjs', codeSplitting: false },
    platform: 'node',
    external: ['better-sqlite3'],
    logLevel: 'silent',
  })
  rmSync(join(bare, 'node_modules'), { recursive: true })
  const printed = { found: ['Alice'], rows: 2, problems: [] }
  expect(run(node, main, path())).toEqual(printed)

  // To put that one file into a copy of Node.js takes as long as half of the other tests here.
  if (extent('single executable files', 0, 1) === 0) return
  const postject = join(packages, 'node_modules/postject/dist/cli.js')
  skip(
    process.platform !== 'linux' || !existsSync(postject),
    'a single executable is made here on Linux, by postject',
  )
  const [config, blob, executable] = ['sea.json', 'sea.blob', 'one-file'].map((name) => join(bare, name))
  writeFileSync(config!, JSON.stringify({ main, output: blob, disableExperimentalSEAWarning: true }))
  execFileSync(node, ['--experimental-sea-config', config!], { stdio: 'pipe' })
  copyFileSync(node, executable!)
  // Its mark in the binary: https://nodejs.org/api/single-executable-applications.html
  const fuse = ['--sentinel-fuse', 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2']
  execFileSync(node, [postject, executable!, 'NODE_SEA_BLOB', blob!, ...fuse], { stdio: 'pipe' })
  expect(run(executable!, path())).toEqual(printed)
})

it('serves Deno by its own client', async ({ skip }) => {
  const deno = join(packages, 'node_modules/.bin/deno')
  skip(spawnSync(deno, ['--version']).status !== 0, 'deno is not installed')
  const token = 'a token for the tests'
  const kv = await openKv()
  const server = await served(serve(kv, { token }), { http2: true })
  onTestFinished(() => {
    server.close()
    kv.close()
  })
  const client = join(import.meta.dirname, 'programs/deno-client.js')
  const args = ['run', '--no-config', '--unstable-kv', '--allow-all', client, server.url]
  const env = { ...process.env, DENO_KV_ACCESS_TOKEN: token }
  const { stdout } = await waitFor('the end of Deno', promisify(execFile)(deno, args, { env }))
  const tooLarge = 'Value too large (max 65536 bytes)'
  expect(JSON.parse(stdout)).toEqual([true, '8', false, 'stamped', 'n,log,a', null, 'watched', tooLarge])
  const value = { at: new Date(0), bytes: new Uint8Array([1, 2]), map: new Map([[1n, 'one']]), text: 'ž' }
  expect((await kv.get(['a', 1])).value).toEqual(value)
})

it('has types that every module resolution finds', ({ skip }) => {
  skip(notInstalled !== null, notInstalled ?? '')
  const attw = join(packages, 'node_modules/@arethetypeswrong/cli/dist/index.js')
  const entries = inTurn('entries whose types are found', Object.keys(manifest.exports), 4)
  const args = [attw, packed, '--profile', 'esm-only', '--entrypoints', ...entries]
  const { status, stdout } = spawnSync(node, args, { encoding: 'utf8' })
  expect(status, stdout).toBe(0)
})

const kindsOfProject = [
  ['commonjs', 'mts'],
  ['module', 'ts'],
] as const

it.for(inTurn('kinds of project', kindsOfProject, 2))(
  'a newcomer in a project of %s gets from init to restore',
  ([type, extension]) => {
    const folder = path(`newcomer-${type}`)
    mkdirSync(join(folder, 'node_modules'), { recursive: true })
    symlinkSync(path('package'), join(folder, 'node_modules/valkeyrie'))
    for (const name of ['zod', 'drizzle-kit'])
      symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'newcomer', type }))
    const cli = join(folder, 'node_modules/valkeyrie/dist/cli/main.js')
    const valkeyrie = (...args: readonly string[]) => {
      const { status, stdout, stderr } = spawnSync(node, [cli, ...args], { cwd: folder, encoding: 'utf8' })
      expect(status, stderr + stdout).toBe(0)
      return stdout
    }
    const told = (...args: readonly string[]) => JSON.parse(valkeyrie(...args, '--json'))

    expect(told('init')).toEqual({
      written: [`drizzle.config.${extension}`, `schemas/index.${extension}`, 'package.json'],
      install: ['npm install valkeyrie zod', 'npm install --save-dev drizzle-kit'],
    })
    expect(told('generate').files).toContain(`index.${extension}`)
    expect(told('migrate')).toEqual({ applied: ['0000_initial'], backup: null, skipped: 0 })
    writeFileSync(
      join(folder, `schemas/seed.${extension}`),
      `import type { Database } from 'valkeyrie'
import type { users } from './index.${extension}'
export default async function seed(db: Database<readonly [typeof users]>) {
  await db.repositories.users.set('ann', { name: 'Ann', email: 'ann@example.com' })
}`,
    )
    expect(valkeyrie('seed')).toContain(`seed.${extension}`)
    expect(told('status')).toEqual({ applied: ['0000_initial'], pending: [], drift: [] })
    expect(valkeyrie('export', 'data.db')).toContain('"ann@example.com"')
    expect(told('backup', 'data.db', 'monday.db')).toMatchObject({ rows: 1 })
    expect(valkeyrie('reset', '--yes')).toContain('is new')
    expect(valkeyrie('export', 'data.db')).toBe('')
    expect(told('restore', 'monday.db', 'data.db')).toMatchObject({ rows: 1 })
    expect(valkeyrie('check')).toBe('All is as declared.\n')
  },
)
