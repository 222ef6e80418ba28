import Database from 'better-sqlite3'
import { type SQL, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { kvTables } from 'valkeyrie/schema'
import type { City } from '../values/cities.ts'
import { cities } from './indexed-cities.ts'
import type { Queries } from './queries.ts'
import { pageRows } from './tasks.ts'

const { kv } = kvTables([cities])
const population = sql`value ->> '$.population'`

/** The same queries as Drizzle queries that each call builds, compiles and prepares. */
export const drizzleOrm = (path: string): Queries => builtEachTime(path, true)

/** As Drizzle comes, which has no words for an index: SQLite chooses it, and without statistics reads the whole collection. */
export const untoldDrizzle = (path: string): Queries => builtEachTime(path, false)

function builtEachTime(path: string, toldTheIndex: boolean): Queries {
  const sqlite = new Database(path)
  const db = drizzle(sqlite)
  const from = (index: string) => (toldTheIndex ? sql`kv indexed by ${sql.identifier(index)}` : kv)
  const select = (index: string, condition: SQL) =>
    db
      .select({
        key: sql<Buffer>`${kv.key}`,
        value: sql<string>`${kv.value}`,
        version: sql<number>`${kv.version}`,
      })
      .from(from(index))
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
