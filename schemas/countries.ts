import { defineSchema } from 'valkeyrie/schema'
import { z } from 'zod'

const named = z.object({ common: z.string(), official: z.string() })
const byLanguage = <S extends z.ZodType>(schema: S) => z.record(z.string().length(3), schema)

/**
 * The countries of the npm package world-countries, under their ISO 3166-1 alpha-2 code: `['countries', 'FR']`.
 * Texts that a country does not have are empty, as `cioc` where it has no Olympic committee.
 */
export const countries = defineSchema(
  ['countries', '*'],
  z.object({
    name: named.extend({ native: byLanguage(named) }),
    tld: z.array(z.string()),
    cca2: z.string().regex(/^[A-Z]{2}$/),
    /** Digits, or empty. */
    ccn3: z.string().regex(/^(\d{3})?$/),
    cca3: z.string().regex(/^[A-Z]{3}$/),
    /** The country of an Olympic committee, or empty. */
    cioc: z.string().regex(/^([A-Z]{3})?$/),
    /** `null` where it is disputed. */
    independent: z.boolean().nullable(),
    status: z.enum(['officially-assigned', 'user-assigned']),
    unMember: z.boolean(),
    unRegionalGroup: z.string(),
    currencies: z.record(z.string().length(3), z.object({ name: z.string(), symbol: z.string() })),
    idd: z.object({ root: z.string(), suffixes: z.array(z.string()) }),
    capital: z.array(z.string()),
    altSpellings: z.array(z.string()),
    region: z.enum(['Africa', 'Americas', 'Antarctic', 'Asia', 'Europe', 'Oceania']),
    subregion: z.string(),
    languages: byLanguage(z.string()),
    translations: byLanguage(named),
    /** Degrees. */
    latlng: z.tuple([z.number().min(-90).max(90), z.number().min(-180).max(180)]),
    demonyms: byLanguage(z.object({ f: z.string(), m: z.string() })),
    landlocked: z.boolean(),
    /** The `cca3` of each neighbour. */
    borders: z.array(z.string().length(3)),
    /** Square kilometres. */
    area: z.number(),
    /** An emoji. */
    flag: z.string(),
  }),
  {
    indexes: [
      { on: 'cca2', unique: true },
      { on: 'cca3', unique: true },
      { on: 'name.common' },
      { on: ['region', 'subregion'] },
    ],
  },
)
