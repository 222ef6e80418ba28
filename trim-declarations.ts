import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import manifest from './package.json' with { type: 'json' }

// Makes the declarations in `dist` small: those that no entry of the package leads to go, and comments stay where an editor shows them.

const dist = join(import.meta.dirname, 'dist')
const entries = Object.values(manifest.exports)
  .flatMap((it) => (typeof it === 'string' ? [] : [it.types]))
  .map((path) => join(import.meta.dirname, path))

const named = new Set(entries)
for (const path of named) for (const { module } of importsOf(path)) named.add(module)

/** What is exported is public, and what that extends: the members of these are what users see. */
const shown = new Set(entries.flatMap((path) => [path, ...importsOf(path).map(({ module }) => module)]))
for (const path of shown) {
  const bases = [...readFileSync(path, 'utf8').matchAll(/\bextends ([^{]*)\{/g)]
    .map(([, base]) => base)
    .join()
  for (const { module, names } of importsOf(path)) {
    if (names.some((name) => new RegExp(`\\b${name}\\b`).test(bases))) shown.add(module)
  }
}

for (const name of globSync('**/*.d.ts', { cwd: dist })) {
  const path = join(dist, name)
  if (!named.has(path)) {
    rmSync(path)
    continue
  }
  const text = readFileSync(path, 'utf8').replace(/^(?: {4})+/gm, (spaces) => '\t'.repeat(spaces.length / 4))
  writeFileSync(path, shown.has(path) ? text : text.replace(/^\s*\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n/gm, ''))
}

/** The modules of the package that a module names, and what it takes of them. */
function importsOf(path: string): { readonly module: string; readonly names: readonly string[] }[] {
  const text = readFileSync(path, 'utf8')
  const found = text.matchAll(/(?:(?:\{([^}]*)\} )?\bfrom |\bimport\()['"](\.[^'"]+)\.[jt]s['"]/g)
  return [...found].map(([, names = '', name]) => ({
    module: join(path, '..', `${name}.d.ts`),
    names: names.match(/\w+/g) ?? [],
  }))
}
