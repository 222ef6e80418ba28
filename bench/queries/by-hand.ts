import Database from 'better-sqlite3'
import type { City } from '../values/cities.ts'
import type { Queries } from './queries.ts'
import { pageRows } from './tasks.ts'

const columns = 'value, encoding, types, version, expires_at, key'
const alive = '(expires_at is null or expires_at > ?)'

/**
 * The prepared SQL, with all that makes it fast: the collection and the limit as literals, the index named. It gives
 * the values and what else an entry has, the key as its bytes.
 */
export function byHand(path: string): Queries {
  const db = new Database(path)
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
    close: () => db.close(),
  }
}
