import Database from 'better-sqlite3'
import { type SQL, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema, kvTables } from 'valkeyrie/schema'
import { type City, citySchema } from '../values/cities.ts'

export const pageRows = 20

export const cities = defineSchema(['cities', '*'], citySchema, {
  indexes: [{ on: 'cityId', unique: true }, { on: 'population' }],
})

/** What the queries ask for: a place in the order of population. */
export interface Place {
  readonly cityId: number
  readonly population: number
  /** Where the page of cities of this population and more ends: as text for `after`, and by what a statement by hand compares. */
  readonly cursor: string
  readonly last: { readonly population: number; readonly key: Buffer }
}

interface Found {
  readonly value: City
}

type Answer<T> = T | Promise<T>

/** The three questions; each gives the entries with their values. */
export interface CityQueries {
  one(place: Place): Answer<Found | null>
  page(place: Place): Answer<readonly Found[]>
  nextPage(place: Place): Answer<readonly Found[]>
  close(): unknown
}

/**
 * The prepared SQL, with all that makes it fast: the collection and the limit as literals, the index named. It gives
 * the values and what else an entry has, the key as its bytes.
 */
export function byHand(path: string): CityQueries {
  const db = new Database(path)
  const columns = 'value, encoding, types, version, expires_at, key'
  const wanted = `collection = 'cities' and (expires_at is null or expires_at > ?)`
  const one = db.prepare(`select ${columns} from kv where ${wanted} and value ->> '$.cityId' = ?`).raw()
  const pageOf = (condition: string, limit: number) =>
    db
      .prepare(
        `select ${columns} from kv indexed by kv_cities_population where ${wanted} and ${condition}
         order by value ->> '$.population', key limit ${limit}`,
      )
      .raw()
  const page = pageOf(`value ->> '$.population' >= ?`, pageRows)
  const next = pageOf(
    `value ->> '$.population' >= ? and (value ->> '$.population' > ? or key > ?)`,
    // As by cursor: one more tells whether there is a next page.
    pageRows + 1,
  )
  const entry = (row: unknown) => {
    const [value, , , version, , key] = row as [string, number, null, number, null, Buffer]
    return { key, value: JSON.parse(value) as City, version }
  }
  return {
    one: ({ cityId }) => entry(one.get(Date.now(), cityId)),
    page: ({ population }) => page.all(Date.now(), population).map(entry),
    nextPage: ({ last: { population, key } }) =>
      next.all(Date.now(), population, population, key).slice(0, pageRows).map(entry),
    close: () => db.close(),
  }
}

/** This library: query objects, compiled once for their shape. */
export async function repository(path: string): Promise<CityQueries> {
  const db = await Valkeyrie.withSchemas([cities]).open(path)
  const rows = db.repositories.cities
  return {
    one: ({ cityId }) => rows.findFirst({ where: { cityId } }),
    page: ({ population }) => rows.findMany(pageFrom(population)),
    nextPage: async ({ population, cursor }) =>
      (await rows.findPage({ ...pageFrom(population), after: cursor })).entries,
    close: () => db.close(),
  }
}

export const pageFrom = (population: number) =>
  ({ where: { population: { gte: population } }, orderBy: { population: 'asc' }, limit: pageRows }) as const

/**
 * The same queries as Drizzle queries that each call builds, compiles and prepares: with the index named in SQL, or as
 * Drizzle comes, which has no words for an index: SQLite chooses it, and without statistics reads the whole collection.
 */
export const drizzleOrm =
  (namesIndex: boolean) =>
  (path: string): CityQueries => {
    const { kv } = kvTables([cities])
    const population = sql`value ->> '$.population'`
    const sqlite = new Database(path)
    const db = drizzle(sqlite)
    const select = (index: string, condition: SQL) =>
      db
        .select({
          key: sql<Buffer>`${kv.key}`,
          value: sql<string>`${kv.value}`,
          version: sql<number>`${kv.version}`,
        })
        .from(namesIndex ? sql`kv indexed by ${sql.identifier(index)}` : kv)
        .where(
          sql`collection = 'cities' and (${kv.expiresAt} is null or ${kv.expiresAt} > ${Date.now()}) and ${condition}`,
        )
    const entry = ({ key, value, version }: { key: Buffer; value: string; version: number }) => ({
      key,
      value: JSON.parse(value) as City,
      version,
    })
    const page = (condition: SQL, limit: number) =>
      select('kv_cities_population', condition).orderBy(population, kv.key).limit(limit).all().map(entry)
    return {
      one: ({ cityId }) =>
        entry(select('kv_cities_cityId_unique', sql`value ->> '$.cityId' = ${cityId}`).get()!),
      page: (place) => page(sql`${population} >= ${place.population}`, pageRows),
      nextPage: ({ last }) =>
        page(
          sql`${population} >= ${last.population} and (${population} > ${last.population} or ${kv.key} > ${last.key})`,
          pageRows + 1,
        ).slice(0, pageRows),
      close: () => sqlite.close(),
    }
  }
