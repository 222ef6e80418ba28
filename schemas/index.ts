import { kvTables } from 'valkeyrie/schema'
import { cities } from './cities.ts'
import { countries } from './countries.ts'

export { cities, countries }

/** The tables of a database with these schemas, as drizzle-kit reads them. */
export const { kv, kvLog, kvCollections } = kvTables([countries, cities])
