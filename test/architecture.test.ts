import { existsSync, globSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(root + path, 'utf8')

/** Folders and files of src in the order in which they may know each other: imports go down. */
const stages = [
  [
    'errors.ts',
    'limits.ts',
    'key.types.ts',
    'option-names.ts',
    'near-name.ts',
    'inspected.ts',
    'clock.ts',
    'give-way.ts',
    'until-aborted.ts',
  ],
  ['key/', 'value/'],
  ['wire/'],
  ['schema/', 'catalog/', 'query/', 'commit/'],
  ['trace/'],
  ['driver/'],
  ['store/', 'unit-of-work/', 'watch/'],
  ['key-value/', 'repository/', 'delivery/'],
  ['client/', 'http/'],
  ['react/'],
  ['*.ts'],
  ['adapters/', 'deno/', 'queue/'],
  ['keyv.ts', 'unstorage.ts', 'express-session.ts', 'better-auth.ts', 'deno.ts', 'queue.ts'],
  ['transfer/'],
  ['migration/'],
  ['migrate.ts'],
  ['studio/'],
  ['cli/'],
]

const longestFile = 350

/** What each file of src imports, its types too: paths from src for its own files, else the name of a package. */
const imports = new Map(
  globSync('**/*.{ts,tsx}', { cwd: `${root}src` }).map((file) => [
    file,
    importsOf(file, read(`src/${file}`)),
  ]),
)

function importsOf(file: string, text: string): string[] {
  const code = codeOf(text)
  const specifiers = [
    ...code.matchAll(/^(?:import|export)\b[^'"]*?(?:\bfrom\s+)?['"]([^'"]+)['"]/gm),
    ...code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g),
  ].map((match) => match[1]!)
  return specifiers.map((name) => (name.startsWith('.') ? posix.join(posix.dirname(file), name) : name))
}

/** A file without its comments. */
function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
}

function stageOf(file: string): number {
  const place = file.includes('/') ? `${file.split('/')[0]}/` : file
  const stage = stages.findIndex((names) => names.includes(place))
  return stage >= 0 || file.includes('/') ? stage : stages.findIndex((names) => names.includes('*.ts'))
}

const edges = [...imports].flatMap(([file, names]) => names.map((name) => ({ file, name })))

it('every file belongs to a stage, and every import of a file finds one', () => {
  expect(imports.size).toBeGreaterThan(50)
  expect([...imports.keys()].filter((file) => stageOf(file) < 0)).toEqual([])
  expect(edges.filter(({ name }) => /\.tsx?$/.test(name) && !imports.has(name))).toEqual([])
})

it('imports go down, or stay in their stage', () => {
  const up = edges.filter(({ file, name }) => imports.has(name) && stageOf(name) > stageOf(file))
  expect(up.map(({ file, name }) => `${file} imports ${name}`)).toEqual([])
})

it('no file imports itself, by whatever way', () => {
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (file: string, path: readonly string[]) => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '))
    if (done.has(file) || path.includes(file)) return
    for (const name of imports.get(file) ?? []) visit(name, [...path, file])
    done.add(file)
  }
  for (const file of imports.keys()) visit(file, [])
  expect(cycles).toEqual([])
})

it.each([
  ['sqlite', /^(drizzle-orm\/)?better-sqlite3(\/|$)/],
  ['postgres', /^((drizzle-orm\/)?(node-postgres|pg)|drizzle-orm\/pg-core)(\/|$)/],
])('only driver/%s knows the packages of its engine', (engine, packages) => {
  const knowing = edges.filter(({ name }) => packages.test(name))
  expect(knowing.filter(({ file }) => !file.startsWith(`driver/${engine}/`))).toEqual([])
  expect(knowing.length > 0).toBe(existsSync(`${root}src/driver/${engine}`))
})

/** Who above the drivers knows one of them, and why. */
const knowEngines = [
  /** The Drizzle types of its tables are what a database has. */
  /^index\.ts imports driver\/postgres\/(engine\.types|table)\.ts$/,
  /** The Drizzle types of its tables, and `kvTables`, are what schema modules export. */
  /^(index|schema)\.ts imports driver\/sqlite\/(engine\.types|table)\.ts$/,
  /** Files of other stores are SQLite files. */
  /^transfer\/\S+ imports driver\/sqlite\/foreign-file\.ts$/,
]

it('what stands above the drivers reaches an engine by its port', () => {
  const direct = edges
    .filter(({ file, name }) => !file.startsWith('driver/') && /^driver\/\w+\//.test(name))
    .map(({ file, name }) => `${file} imports ${name}`)
  expect(knowEngines.filter((known) => !direct.some((edge) => known.test(edge)))).toEqual([])
  expect(direct.filter((edge) => !knowEngines.some((known) => known.test(edge)))).toEqual([])
})

it('one place knows which engines there are, and the port knows none', () => {
  const outside = edges.filter(
    ({ file, name }) => /^driver\/[^/]+$/.test(file) && /^driver\/\w+\//.test(name),
  )
  expect(new Set(outside.map(({ file }) => file))).toEqual(
    new Set(['driver/engines.ts', 'driver/dialects.ts']),
  )
  const drizzle = edges.filter(({ file, name }) => /^driver\/[^/]+$/.test(file) && /^drizzle-orm/.test(name))
  expect(drizzle.map(({ name }) => name)).toEqual(['drizzle-orm/logger'])
})

const sqlText =
  /\b(json_\w+|unhex|glob|group_concat|unixepoch|octet_length|indexed by|pragma|insert into|delete from|update kv\w*|select \S+ from|(create|alter|drop) (unique )?(index|table))\b/i

it('SQL that an engine speaks stands in its folder', () => {
  const speaking = [...imports.keys()]
    .filter((file) => !/^driver\/\w+\//.test(file))
    .filter((file) => sqlText.test(codeOf(read(`src/${file}`))))
  expect(speaking).toEqual([])
})

it('what a query, a commit and a value mean names no engine', () => {
  const neutral = /^(key|value|schema|catalog|query|commit|repository|unit-of-work|watch|key-value)\//
  const naming = [...imports.keys()].filter(
    (file) => neutral.test(file) && /sqlite|postgres/i.test(read(`src/${file}`)),
  )
  expect(naming).toEqual([])
})

it('what a commit and a catalogue mean is decided without an engine, a file or a clock', () => {
  const core = [...imports.keys()].filter((file) => /^(commit|catalog)\//.test(file))
  const packages = core.flatMap((file) =>
    [...codeOf(read(`src/${file}`)).matchAll(/\bfrom '([^.'][^']*)'/g)].map((it) => it[1]),
  )
  expect(new Set(packages)).toEqual(new Set(['node:util']))
  expect(
    core.filter((file) => /\b(Date\.now|performance|setTimeout|await)\b/.test(codeOf(read(`src/${file}`)))),
  ).toEqual([])
})

it(`no file is longer than ${longestFile} lines, doc comments aside`, () => {
  const lengths = [...imports.keys()].map((file) => {
    const code = read(`src/${file}`).replace(/^ *\/\*\*[\s\S]*?\*\/\n/gm, '')
    return [file, code.split('\n').length - 1] as const
  })
  expect(lengths.filter(([, lines]) => lines > longestFile)).toEqual([])
})

it.each([
  'package-lock.json',
  'bench/packages/package-lock.json',
  'test/consumer/packages/package-lock.json',
])('%s names no registry', (lockfile) => {
  expect(read(lockfile)).not.toMatch(/"resolved"|registry\./)
})
