import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The version of a package that the project has installed. */
export const versionOf = (name: string): string => readVersion(`../../node_modules/${name}/`)

/** The version of a package of bench/packages. */
export const versionOfAlternative = (name: string): string => readVersion(`../packages/node_modules/${name}/`)

function readVersion(folder: string): string {
  const path = fileURLToPath(new URL(`${folder}package.json`, import.meta.url))
  return JSON.parse(readFileSync(path, 'utf8')).version
}
