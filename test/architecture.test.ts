import { globSync, readFileSync } from 'node:fs'
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
    'database-path.ts',
    'give-way.ts',
    'until-aborted.ts',
  ],
  ['key/', 'value/'],
  ['schema/', 'catalog/', 'query/', 'commit/'],
  ['driver/'],
  ['store/', 'unit-of-work/', 'watch/'],
  ['key-value/', 'repository/'],
  ['*.ts'],
  ['transfer/'],
  ['migration/'],
  ['cli/'],
]

const longestFile = 350

/** What each file of src imports, its types too: paths from src for its own files, else the name of a package. */
const imports = new Map(
  globSync('**/*.ts', { cwd: `${root}src` }).map((file) => [file, importsOf(file, read(`src/${file}`))]),
)

function importsOf(file: string, text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  const specifiers = [
    ...code.matchAll(/^(?:import|export)\b[^'"]*?(?:\bfrom\s+)?['"]([^'"]+)['"]/gm),
    ...code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g),
  ].map((match) => match[1]!)
  return specifiers.map((name) => (name.startsWith('.') ? posix.join(posix.dirname(file), name) : name))
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
  expect(edges.filter(({ name }) => name.endsWith('.ts') && !imports.has(name))).toEqual([])
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

it('only driver/sqlite knows the engine', () => {
  const knowing = edges.filter(({ name }) => /^(drizzle-orm\/)?better-sqlite3(\/|$)/.test(name))
  expect(knowing.length).toBeGreaterThan(0)
  expect(knowing.filter(({ file }) => !file.startsWith('driver/sqlite/'))).toEqual([])
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
