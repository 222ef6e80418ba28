import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import {
  build,
  type CodeSplittingGroup,
  type InputOptions,
  type OutputOptions,
  type Plugin,
  rolldown,
} from 'rolldown'
import { parseAst } from 'rolldown/parseAst'
import { buildPage } from './build-page.ts'
import manifest from './package.json' with { type: 'json' }

/** What runs in browsers: it shares no file with the rest, which needs Node.js. */
const forBrowsers = ['client', 'react']

/** An entry of `dist` for each of `exports` and `bin`, by the path of its source. */
const all = [
  ...Object.values(manifest.exports).flatMap((entry) => (typeof entry === 'string' ? [] : [entry.default])),
  ...Object.values(manifest.bin),
]
  .map((path) => /^(?:\.\/)?dist\/(.+)\.js$/.exec(path)![1]!)
  .map((name) => [name, `src/${name}.ts`] as const)
const [entries = [], browserEntries = []] = [false, true].map((isForBrowsers) =>
  all.filter(([name]) => forBrowsers.includes(name) === isForBrowsers),
)

/**
 * What Node.js loads from its own folder. The rest is part of the bundle: Node.js would read a package's `package.json` again for each of
 * its files, and that of drizzle-orm has 179 KB. Users install drizzle-orm for its types.
 */
const external = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
  .filter((name) => name !== 'drizzle-orm')
  .map((name) => new RegExp(`^${name}(/|$)`))

/**
 * Takes what is used of Node.js itself from the very objects: `import` reads every export of such a module, and some load others when they
 * are read. `node:fs` and `node:util` so take 3 and 4 ms of a start that takes 50.
 */
const builtins: Plugin = {
  name: 'builtins',
  resolveId(id, importer, { kind }) {
    const isOurs = id.startsWith('node:') && kind === 'import-statement' && !importer?.startsWith('\0')
    return isOurs ? `\0${id}` : null
  },
  load(id) {
    if (!id.startsWith('\0node:')) return null
    const loaded = `const loaded = process.getBuiltinModule(${JSON.stringify(id.slice(1))})`
    const names = Object.keys(process.getBuiltinModule(id.slice(1))!).filter((name) => name !== 'default')
    const exported = names.map((name) => `export const { ${name} } = loaded`)
    return { code: [loaded, 'export default loaded', ...exported].join('\n'), moduleSideEffects: false }
  },
}

/**
 * Has drizzle-orm take `pg` when it is loaded, by a call that bundlers leave as it is: they refuse to bundle a program whose user has not
 * installed what only PostgreSQL needs.
 */
const onDemand: Plugin = {
  name: 'on-demand',
  transform(code, id) {
    if (!id.includes('/drizzle-orm/node-postgres/')) return null
    const required = `import { createRequire } from 'node:module'\nconst pg = createRequire(import.meta.url)('pg')`
    return code.replace('import pg from "pg";', required)
  },
}

const apartQuery = '?apart'

/**
 * Two modules of drizzle-orm that every database needs take one name each from its modules for PostgreSQL. They get copies of these,
 * of which only that name stays: with the modules themselves, SQLite would load whatever PostgreSQL uses of them, 28 KB.
 */
const apart: Plugin = {
  name: 'apart',
  async resolveId(source, importer, options) {
    if (importer === undefined) return null
    const isApart = importer.endsWith(apartQuery)
    if (!isApart && !/\/drizzle-orm\/(?:relations|sql\/sql)\.js$/.test(importer)) return null
    const from = isApart ? importer.slice(0, -apartQuery.length) : importer
    const resolved = await this.resolve(source, from, { ...options, skipSelf: true })
    return resolved?.id.includes('/pg-core/') ? resolved.id + apartQuery : resolved
  },
  load(id) {
    if (!id.endsWith(apartQuery)) return null
    return { code: readFileSync(id.slice(0, -apartQuery.length), 'utf8'), moduleSideEffects: false }
  },
}

/**
 * The parts that a program loads, each one file: to load one costs Node.js as much as 50 KB of code in it. What an earlier part has is
 * none of a later one. `declaration` is what `valkeyrie/schema` needs; `valkeyrie` and `engine` are what every database is opened
 * with, `schemas` what one with schemas is opened with besides.
 * `units` is loaded by the first unit of work. What they load later is left to the bundler.
 */
const parts: Readonly<Record<string, readonly string[]>> = {
  declaration: ['src/schema.ts'],
  valkeyrie: ['src/index.ts'],
  engine: ['src/driver/sqlite/open.ts'],
  schemas: ['src/driver/sqlite/query/query-runner.ts', 'src/api/schema-code.ts'],
  units: ['src/unit-of-work/run-unit-of-work.ts'],
}

async function groups(): Promise<CodeSplittingGroup[]> {
  const partOf = new Map<string, string>()
  for (const [part, sources] of Object.entries(parts)) {
    for (const id of await modulesOf(sources)) if (!partOf.has(id)) partOf.set(id, part)
  }
  return Object.keys(parts).map((name) => ({ name, test: (id) => partOf.get(id) === name }))
}

/** What sources load at once. */
async function modulesOf(sources: readonly string[]): Promise<ReadonlySet<string>> {
  await using bundle = await rolldown({ ...input, input: [...sources] })
  const { output } = await bundle.generate()
  const chunks = new Map(output.flatMap((it) => (it.type === 'chunk' ? [[it.fileName, it] as const] : [])))
  const loaded = new Set([...chunks.values()].filter(({ isEntry }) => isEntry))
  for (const { imports } of loaded) {
    for (const name of imports) if (chunks.has(name)) loaded.add(chunks.get(name)!)
  }
  return new Set([...loaded].flatMap(({ moduleIds }) => moduleIds))
}

/** Has `import()` load a part itself, in place of a file that only exports what is in it. */
const direct: Plugin = {
  name: 'direct',
  generateBundle(_, bundle) {
    for (const [path, chunk] of Object.entries(bundle)) {
      if (chunk.type !== 'chunk' || !chunk.isDynamicEntry) continue
      const [, names, part] = /^export ?\{([^}]*)\} ?from ?["'`]([^"'`]+)["'`];?\s*$/.exec(chunk.code) ?? []
      if (names === undefined || / as /.test(names)) continue
      const name = basename(path).replaceAll('.', '\\.')
      const loading = new RegExp(`(?<=\\bimport\\(["'\`]\\./(?:chunks/)?)${name}(?=["'\`]\\))`, 'g')
      for (const other of Object.values(bundle)) {
        if (other.type === 'chunk') other.code = other.code.replace(loading, basename(part!))
      }
      delete bundle[path]
    }
  },
}

/** Where nobody catches an error, Node.js prints the whole line that threw it. */
const longLine = 160

/** Breaks minified code into lines, where a statement, a member of a class, a variable or a part of a sequence begins. */
const lines: Plugin = {
  name: 'lines',
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type === 'chunk') chunk.code = inLines(chunk.code)
    }
  },
}

function inLines(code: string): string {
  const starts = new Set<number>()
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    for (const [name, child] of Object.entries(node)) {
      if (Array.isArray(child) && ['body', 'consequent', 'declarations', 'expressions'].includes(name)) {
        for (const part of child.slice(1)) starts.add(part.start)
      }
      visit(child)
    }
  }
  visit(parseAst(code))
  const places = [...starts, code.length].sort((a, b) => a - b)
  const lines: string[] = []
  let begin = 0
  for (const [i, place] of places.entries()) {
    if ((places[i + 1] ?? Infinity) - begin <= longLine) continue
    lines.push(code.slice(begin, place))
    begin = place
  }
  return lines.join('\n')
}

/** Writes the licenses of the packages that are part of the bundle. */
const licenses: Plugin = {
  name: 'licenses',
  generateBundle(_, bundle) {
    const modules = Object.values(bundle).flatMap((it) => (it.type === 'chunk' ? it.moduleIds : []))
    const folders = modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id) ?? [])
    const source = [...new Set(folders)]
      .sort()
      .map(licenseOf)
      .join(`\n\n${'-'.repeat(80)}\n\n`)
    this.emitFile({ type: 'asset', fileName: 'licenses.txt', source: `${source}\n` })
  },
}

function licenseOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const own = globSync(['LICENSE*', 'license*'], { cwd: folder }).map((file) => join(folder, file))
  // Some pack no text of their own.
  const kept = [name, license].map((it) => join(import.meta.dirname, `licenses/${it}.txt`))
  const file = [...own, ...kept].find((path) => existsSync(path))
  if (file === undefined)
    throw new Error(`${name} has no text of its license, ${license}: put it into licenses/`)
  return `${name} ${version}, ${license}\n\n${readFileSync(file, 'utf8').trim()}`
}

const input: InputOptions = {
  platform: 'node',
  external,
  plugins: [apart, onDemand, builtins],
  transform: { target: 'node22.18' },
  treeshake: { propertyReadSideEffects: false },
}

/** What a program loads that opens an address of a server, and no other: its files say so in their names. */
const ofPostgres = /\/(?:src\/driver\/postgres|drizzle-orm\/(?:pg-core|node-postgres))\//

const comments = { legal: false, jsdoc: false, annotation: false }

const output: OutputOptions = {
  dir: 'dist',
  // The names of functions and classes stay, so that a stack tells where it came from.
  minify: {
    compress: { keepNames: { function: true, class: true } },
    mangle: { keepNames: true },
  },
  chunkFileNames: ({ moduleIds, name }) =>
    moduleIds.every((id) => ofPostgres.test(id)) ? `chunks/postgres-${name}.js` : `chunks/${name}.js`,
  // So that a part exports what its sources do.
  minifyInternalExports: false,
  // V8 reads text of one byte a character faster.
  charset: 'ascii',
  comments,
}

await build({
  ...input,
  plugins: [apart, onDemand, builtins, direct, licenses, lines],
  input: Object.fromEntries(entries),
  output: { ...output, cleanDir: true, codeSplitting: { groups: await groups() } },
})

await build({
  ...input,
  platform: 'browser',
  plugins: [lines],
  transform: { target: 'es2022' },
  input: Object.fromEntries(browserEntries),
  output: {
    ...output,
    comments: { ...comments, annotation: true },
    chunkFileNames: 'chunks/browser-[name].js',
  },
})

await buildPage('src/studio/page', 'dist/studio')
