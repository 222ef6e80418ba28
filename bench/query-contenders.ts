import Database from 'better-sqlite3'
import { type SQL, sql } from 'drizzle-orm'
import type { City } from './cities.ts'
import { type Contender, expectEqual } from './harness.ts'
import { type IndexedCities, type Place, sumOfIds } from './indexed-cities.ts'
import { pageRows, type QueryTask } from './query-tasks.ts'

interface Found {
  readonly value: City
}

/** The three questions; each gives the entries with their values. */
interface Queries {
  one(place: Place): Found | null | Promise<Found | null>
  page(place: Place): readonly Found[] | Promise<readonly Found[]>
  nextPage(place: Place): readonly Found[] | Promise<readonly Found[]>
}

/** By hand, this library, and Drizzle built anew, on a file of cities that they share: it is only read. */
export function queryContenders(cities: IndexedCities): readonly Contender<QueryTask>[] {
  const raw = new Database(cities.path, { readonly: true })
  return [
    contender('by hand', cities, byHand(raw), () => raw.close()),
    contender('valkeyrie', cities, library(cities)),
    contender('Drizzle anew', cities, builtAnew(cities, true)),
  ]
}

/** Drizzle built anew as it comes: SQLite chooses the index, and without statistics it reads the whole collection. */
export const untoldDrizzle = (cities: IndexedCities): Contender<QueryTask> =>
  contender('Drizzle anew, no index named', cities, builtAnew(cities, false))

function contender(
  name: string,
  { rows, places }: IndexedCities,
  { one, page, nextPage }: Queries,
  teardown: () => unknown = () => {},
): Contender<QueryTask> {
  const at = (i: number) => places[(i * 7) % places.length]!
  const total = (n: number, part: (place: Place) => number) => {
    let sum = 0
    for (let i = 0; i < n; i++) sum += part(at(i))
    return sum
  }
  return {
    name: `${name}, ${rows.toLocaleString('en')} rows`,
    setup() {},
    tasks: {
      async 'unique lookup'(n) {
        let ids = 0
        for (let i = 0; i < n; i++) {
          const found = one(at(i))
          const city = found instanceof Promise ? await found : found
          ids += city!.value.cityId
        }
        return () =>
          expectEqual(
            ids,
            total(n, ({ cityId }) => cityId),
            'sum of the ids',
          )
      },
      async 'indexed page of 20'(n) {
        const pages: (readonly Found[])[] = []
        for (let i = 0; i < n; i++) {
          const found = page(at(i))
          pages.push(found instanceof Promise ? await found : found)
        }
        return () =>
          expectEqual(
            sumOfPages(pages),
            total(n, (place) => place.page),
            'sum of the ids',
          )
      },
      async 'page of 20 by cursor'(n) {
        const pages: (readonly Found[])[] = []
        for (let i = 0; i < n; i++) {
          const found = nextPage(at(i))
          pages.push(found instanceof Promise ? await found : found)
        }
        return () =>
          expectEqual(
            sumOfPages(pages),
            total(n, (place) => place.nextPage),
            'sum of the ids',
          )
      },
    },
    teardown,
  }
}

const sumOfPages = (pages: readonly (readonly Found[])[]) =>
  pages.reduce((sum, page) => sum + sumOfIds(page.map(({ value }) => value)), 0)

const columns = 'value, encoding, types, version, expires_at, key'
const alive = '(expires_at is null or expires_at > ?)'

/**
 * The prepared SQL, with all that makes it fast: the collection and the limit as literals, the index named. It gives
 * the values and what else an entry has, the key as its bytes.
 */
function byHand(db: Database.Database): Queries {
  const one = db
    .prepare(
      `select ${columns} from kv where collection = 'cities' and ${alive} and value ->> '$.cityId' = ?`,
    )
    .raw()
  const pageOf = (condition: string, limit: number) =>
    db
      .prepare(
        `select ${columns} from kv indexed by kv_cities_population
         where collection = 'cities' and ${alive} and ${condition}
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
  }
}

function library({ db }: IndexedCities): Queries {
  const { cities } = db.repositories
  return {
    one: ({ cityId }) => cities.findFirst({ where: { cityId } }),
    page: ({ population }) =>
      cities.findMany({
        where: { population: { gte: population } },
        orderBy: { population: 'asc' },
        limit: pageRows,
      }),
    nextPage: async ({ population, cursor }) => {
      const { entries } = await cities.findPage({
        where: { population: { gte: population } },
        orderBy: { population: 'asc' },
        limit: pageRows,
        after: cursor,
      })
      return entries
    },
  }
}

/** The same query as a Drizzle query that each call builds, compiles and prepares; Drizzle itself has no words for an index. */
function builtAnew({ db: { drizzle, tables } }: IndexedCities, toldTheIndex: boolean): Queries {
  const { kv } = tables
  const population = sql`value ->> '$.population'`
  const from = (index: string) => (toldTheIndex ? sql`kv indexed by ${sql.identifier(index)}` : kv)
  const select = (index: string, condition: SQL) =>
    drizzle
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
  }
}
