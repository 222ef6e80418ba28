import { globSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import manifest from './package.json' with { type: 'json' }

// Removes from `dist` the declarations that no entry of the package leads to: those of its inner files, of no use to who installs it.

const dist = join(import.meta.dirname, 'dist')
const entries = Object.values(manifest.exports).flatMap((it) => (typeof it === 'string' ? [] : [it.types]))
const reached = new Set(entries.map((path) => join(import.meta.dirname, path)))
for (const path of reached) {
  const imported = readFileSync(path, 'utf8').matchAll(/(?:\bfrom |\bimport\()['"](\.[^'"]+)\.[jt]s['"]/g)
  for (const [, name] of imported) reached.add(join(path, '..', `${name}.d.ts`))
}
for (const name of globSync('**/*.d.ts', { cwd: dist })) {
  if (!reached.has(join(dist, name))) rmSync(join(dist, name))
}
