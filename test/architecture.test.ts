import { existsSync, globSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(root + path, 'utf8')

const page = read('docs/architecture.md')

/** The rooms of src from the top down, in the order of the page's table: imports go down. The entry points are above all of them. */
const rooms = ['*.ts', ...[...page.matchAll(/^\| `([a-z-]+\/)` \|/gm)].map(([, room]) => room!)]

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
    ...code.matchAll(/^(?:import|export)\b(?:[^'"]*?\bfrom)?\s+['"]([^'"]+)['"]/gm),
    ...code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g),
  ].map((match) => match[1]!)
  return specifiers.map((name) => (name.startsWith('.') ? posix.join(posix.dirname(file), name) : name))
}

/** A file without its comments. */
function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
}

/** 0 is the highest. */
function stageOf(file: string): number {
  return rooms.indexOf(roomOf(file))
}

function roomOf(file: string): string {
  return file.includes('/') ? `${file.split('/')[0]}/` : '*.ts'
}

const edges = [...imports].flatMap(([file, names]) => names.map((name) => ({ file, name })))

it('every folder of src is a row of the table of docs/architecture.md, and every import finds a file', () => {
  expect(imports.size).toBeGreaterThan(50)
  expect(rooms.slice(1).toSorted()).toEqual(
    [...new Set([...imports.keys()].map(roomOf))].filter((room) => room !== '*.ts').sort(),
  )
  expect(edges.filter(({ name }) => /\.tsx?$/.test(name) && !imports.has(name))).toEqual([])
})

it('imports go down the rows of that table, or stay in their room', () => {
  const up = edges.filter(
    ({ file, name }) => imports.has(name) && roomOf(name) !== roomOf(file) && stageOf(name) <= stageOf(file),
  )
  expect(up.map(({ file, name }) => `${file} imports ${name}`)).toEqual([])
})

it('no two folders import each other, types included: not those of one room, nor a folder and one within it', () => {
  const pairs = new Set(
    edges
      .filter(({ name }) => imports.has(name))
      .map(({ file, name }) => [posix.dirname(file), posix.dirname(name)] as const)
      .filter(([from, to]) => from !== to)
      .map(([from, to]) => `${from} → ${to}`),
  )
  expect([...pairs].filter((pair) => pairs.has(pair.split(' → ').reverse().join(' → ')))).toEqual([])
})

/** What the drawings of rooms leave out: all others use it. */
const everywhere = new Set(['contract', 'arguments', 'time'])

/** The drawings of the page, each as its lines. */
const drawings = [...page.matchAll(/^```mermaid\nflowchart TD\n([\s\S]*?)^```$/gm)].map(([, text]) => text!)
const [roomDrawing, engineDrawing, ...flows] = drawings as [string, string, ...string[]]

/** A room within an engine may be new, and not drawn yet. */
it.each([
  ['rooms', roomDrawing, (file: string) => (file.includes('/') ? file.split('/')[0]! : null)],
  ['rooms of engines', engineDrawing, (file: string) => /^driver\/(\w+\/\w+)\//.exec(file)?.[1] ?? null],
])('the arrows between %s are imports, and every import follows them', (_, drawing, nodeOf) => {
  const arrows = [...drawing.matchAll(/^ {2}(\S+) --> (\S+)$/gm)].map(([, from, to]) => `${from} → ${to}`)
  const real = new Set(
    edges
      .filter(({ name }) => imports.has(name))
      .map(({ file, name }) => [nodeOf(file), nodeOf(name)] as const)
      .filter(([from, to]) => from !== null && to !== null && from !== to && !everywhere.has(to))
      .filter(([from]) => !everywhere.has(from!))
      .map(([from, to]) => `${from} → ${to}`),
  )
  expect(arrows.filter((arrow) => !real.has(arrow))).toEqual([])
  expect([...real].filter((arrow) => !reachable(arrows, arrow))).toEqual([])
})

/** Whether arrows lead from one end of this one to the other. */
function reachable(arrows: readonly string[], arrow: string): boolean {
  const [from, to] = arrow.split(' → ') as [string, string]
  const seen = new Set([from])
  for (const node of seen) {
    for (const one of arrows) if (one.startsWith(`${node} → `)) seen.add(one.split(' → ')[1]!)
  }
  return seen.has(to)
}

it('a solid arrow of a flow is an import, and a dotted one leads from a port to what implements it', () => {
  expect(flows.length).toBe(4)
  const wrong = flows.flatMap((flow) => {
    const files = new Map([...flow.matchAll(/^ {2}(\w+)\["([^<"]+)/gm)].map(([, id, file]) => [id!, file!]))
    const arrows = [...flow.matchAll(/^ {2}(\w+) (-->|-\.->) (\w+)$/gm)]
    const drawn = new Set(arrows.flatMap(([, from, , to]) => [from!, to!]))
    const lost = [...files]
      .filter(([id, file]) => !drawn.has(id) || !imports.has(file))
      .map(([, file]) => file)
    const untrue = arrows.flatMap(([arrow, from, kind, to]) => {
      const [user, used] = (kind === '-->' ? [from, to] : [to, from]).map((id) => files.get(id!)!)
      return imports.get(user!)?.includes(used!) ? [] : [arrow.trim()]
    })
    return [...lost, ...untrue]
  })
  expect(wrong).toEqual([])
})

const paths = [...imports.keys()]

it.each(['docs/architecture.md', 'docs/drivers.md', 'CONTRIBUTING.md'])(
  '%s names files that exist',
  (name) => {
    const named = [
      ...read(name).matchAll(/`((?:src|test|bench|docs|examples)\/)?([\w./-]+(?:\/|\.(?:tsx?|md|json)))`/g),
    ]
    const lost = named
      .map(([, top = '', path]) => top + path)
      .filter((path) => !path.includes('NAME'))
      .filter((path) => !existsSync(root + path) && !paths.some((it) => `/src/${it}`.includes(`/${path}`)))
    expect(lost).toEqual([])
  },
)

it('the top of src holds the entry points of the package, and nothing else', () => {
  const { exports } = JSON.parse(read('package.json'))
  const entries = Object.values<{ default?: string }>(exports).flatMap(({ default: built }) => built ?? [])
  const sources = entries.map((built) => built.replace(/^\.\/dist\/(.+)\.js$/, '$1.ts'))
  const top = [...imports.keys()].filter((file) => !file.includes('/'))
  expect(top.sort()).toEqual(sources.sort())
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

it.each([
  ['better-sqlite3', ['driver/sqlite/module/better-sqlite3.ts']],
  ['node:sqlite', ['driver/sqlite/module/node-sqlite.ts']],
  // Its types only: at run time it loads the session alone, which exists without better-sqlite3.
  ['drizzle-orm/better-sqlite3', ['driver/sqlite/engine.types.ts', 'driver/sqlite/module/drizzle-over.ts']],
])('of driver/sqlite, %s is known to %j alone', (module, files) => {
  const knowing = edges.filter(({ name }) => name === module)
  expect(new Set(knowing.map(({ file }) => file))).toEqual(new Set(files))
})

/** Which files above the drivers know one of them, and why. */
const knowEngines = [
  /** The Drizzle types of its tables are what a database has. */
  /^index\.ts imports driver\/postgres\/(engine\.types|tables\/table)\.ts$/,
  /** The Drizzle types of its tables, and `kvTables`, are what schema modules export. */
  /^postgres\.ts imports driver\/postgres\/tables\/table\.ts$/,
  /^(index|schema)\.ts imports driver\/sqlite\/(engine\.types|tables\/table)\.ts$/,
  /** Files of other stores are SQLite files. */
  /^transfer\/\S+ imports driver\/sqlite\/file\/foreign-file\.ts$/,
]

it('what stands above the drivers reaches an engine by its port', () => {
  const direct = edges
    .filter(({ file, name }) => !/^(driver|engines)\//.test(file) && /^driver\/\w+\//.test(name))
    .map(({ file, name }) => `${file} imports ${name}`)
  expect(knowEngines.filter((known) => !direct.some((edge) => known.test(edge)))).toEqual([])
  expect(direct.filter((edge) => !knowEngines.some((known) => known.test(edge)))).toEqual([])
})

it('engines/ knows which engines there are, and the port knows none', () => {
  const port = edges.filter(({ file }) => /^driver\/[^/]+$/.test(file))
  expect(port.filter(({ name }) => /^driver\/\w+\//.test(name))).toEqual([])
  expect(port.map(({ name }) => name).filter((name) => /^drizzle-orm/.test(name))).toEqual([
    'drizzle-orm/logger',
  ])
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
  const neutral =
    /^(key|value|schema|catalog|query|commit|repository|unit-of-work|broadcast|watch|key-value)\//
  const naming = [...imports.keys()].filter(
    (file) => neutral.test(file) && /sqlite|postgres/i.test(read(`src/${file}`)),
  )
  expect(naming).toEqual([])
})

it('what a commit and a catalogue mean is decided without an engine, a file or a clock', () => {
  const core = [...imports.keys()].filter((file) => /^(commit|catalog)\//.test(file))
  const packages = core.flatMap((file) =>
    [...codeOf(read(`src/${file}`)).matchAll(/^import (?!type)[^']*'([^.'][^']*)'/gm)].map((it) => it[1]),
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

const shortFile = 250

it(`a file of more than ${shortFile} lines says in its first line why it is one thing`, () => {
  const files = [
    ...globSync('bench/**/*.ts', { cwd: root, exclude: ['**/node_modules'] }),
    ...[...imports.keys()].map((file) => `src/${file}`),
  ]
  const long = files.filter((file) => read(file).split('\n').length - 1 > shortFile)
  expect(long.length).toBeGreaterThan(0)
  expect(long.filter((file) => !/^\/\/ .{40}/.test(read(file)))).toEqual([])
})

it.each([
  'package-lock.json',
  'bench/packages/package-lock.json',
  'test/consumer/packages/package-lock.json',
])('%s names no registry', (lockfile) => {
  expect(read(lockfile)).not.toMatch(/"resolved"|registry\./)
})
