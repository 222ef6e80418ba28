import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Plugin } from 'rolldown'
import manifest from './package.json' with { type: 'json' }

/** An entry of `dist` for each of `exports` and `bin`, by the path of its source. */
const entries = [
  ...Object.values(manifest.exports).flatMap((entry) => (typeof entry === 'string' ? [] : [entry.default])),
  ...Object.values(manifest.bin),
]
  .map((path) => /^(?:\.\/)?dist\/(.+)\.js$/.exec(path)![1]!)
  .map((name) => [name, `src/${name}.ts`] as const)

/**
 * What Node.js loads from its own folder. The rest is part of the bundle: Node.js would read a package's `package.json` again for each of
 * its files, and that of drizzle-orm has 179 KB. Users install drizzle-orm for its types.
 */
const external = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
  .filter((name) => name !== 'drizzle-orm')
  .map((name) => new RegExp(`^${name}(/|$)`))

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
  // drizzle-orm packs no text of its own.
  const file = [...own, join(import.meta.dirname, `licenses/${license}.txt`)].find((path) => existsSync(path))
  if (file === undefined)
    throw new Error(`${name} has no text of its license, ${license}: put it into licenses/`)
  return `${name} ${version}, ${license}\n\n${readFileSync(file, 'utf8').trim()}`
}

await build({
  input: Object.fromEntries(entries),
  platform: 'node',
  external,
  plugins: [licenses],
  transform: { target: 'node22.18' },
  output: {
    dir: 'dist',
    cleanDir: true,
    chunkFileNames: 'chunks/[name].js',
    comments: { legal: false, jsdoc: false, annotation: false },
  },
})
