import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import Database from 'better-sqlite3'
import type { City } from './cities.ts'
import { type Contender, expectEqual } from './harness.ts'
import type { TaskName } from './tasks.ts'
import {
  idsToWrite,
  pairOfUsers,
  readingOrder,
  storedIds,
  sumOfAges,
  sumOfAgesOfPairs,
  type User,
  userAt,
} from './users.ts'

/**
 * What one would write by hand on better-sqlite3 for this work and nothing else: text keys, JSON values, prepared
 * statements, synchronous calls. No schemas, no expiry, no indexes.
 */
export function byHand(cities: readonly City[]): Contender<TaskName> {
  let dir: string
  let table: HandWrittenTable
  let emptyTable: HandWrittenTable
  let bulkLoads = 0
  const ids = idsToWrite()
  const openEmpty = () => openTable(join(dir, `cities-${bulkLoads++}.db`))

  async function get(n: number) {
    let ages = 0
    for (let i = 0; i < n; i++) ages += table.get(`users/${storedIds[readingOrder[i]!]}`)!.value.age
    return () => expectEqual(ages, sumOfAges, 'sum of the ages')
  }

  async function list(n: number) {
    let ages = 0
    let rows = 0
    for (const { value } of table.list('users/', 'users0')) {
      ages += value.age
      rows++
    }
    return () => {
      expectEqual(rows, n, 'rows')
      expectEqual(ages, sumOfAges, 'sum of the ages')
    }
  }

  async function set(n: number) {
    let id = ''
    for (let i = 0; i < n; i++) {
      id = ids.next().value
      table.set(`users/${id}`, userAt(i))
    }
    return () => expectStored(table, id, userAt(n - 1))
  }

  return {
    name: 'by hand',
    setup(folder) {
      dir = folder
      table = openTable(join(dir, 'users.db'))
      table.setAll(storedIds.map((id, index) => [`users/${id}`, userAt(index)]))
      table.checkpoint()
      emptyTable = openEmpty()
    },
    tasks: {
      get,
      'get by id': get,
      list,
      'list by id': list,
      set,
      'set by id': set,
      async 'sets at once'(n) {
        const entries = Array.from({ length: n }, (_, i) => [ids.next().value, userAt(i)] as const)
        table.setEach(entries.map(([id, user]) => [`users/${id}`, user]))
        return () => {
          for (const [id, user] of entries) expectStored(table, id, user)
        }
      },
      async 'atomic of 500'(n) {
        const entries = Array.from({ length: n }, (_, i) => [ids.next().value, userAt(i)] as const)
        table.setAll(entries.map(([id, user]) => [`users/${id}`, user]))
        return () => {
          for (const [id, user] of entries) expectStored(table, id, user)
        }
      },
      async 'unit of work'(n) {
        let ages = 0
        for (let i = 0; i < n; i++) {
          const [a, b] = pairOfUsers(i).map((index) => table.get(`users/${storedIds[index]!}`)!) as [
            Entry,
            Entry,
          ]
          ages += a.value.age + b.value.age
          const { age } = a.value
          a.value.age = b.value.age
          b.value.age = age
          table.setAll([
            [a.key, a.value],
            [b.key, b.value],
          ])
        }
        return () => expectEqual(ages, sumOfAgesOfPairs(n), 'sum of the ages')
      },
      async 'bulk load'(n) {
        emptyTable.insertAll(cities)
        return () => {
          expectEqual(emptyTable.count(), n, 'cities')
          for (const city of [cities[0]!, cities[n - 1]!]) {
            const stored = emptyTable.get(`cities/${city.cityId}`)!.value
            expectEqual(isDeepStrictEqual(stored, city), true, `${city.name} as it was`)
          }
          emptyTable.close()
          emptyTable = openEmpty()
        }
      },
    },
    teardown() {
      table.close()
      emptyTable.close()
    },
  }
}

function expectStored(table: HandWrittenTable, id: string, user: User): void {
  expectEqual(isDeepStrictEqual(table.get(`users/${id}`)?.value, user), true, `${id} as it was set`)
}

type HandWrittenTable = ReturnType<typeof openTable>

interface Entry {
  readonly key: string
  readonly value: User
  readonly version: number
}

function openTable(path: string) {
  const db = new Database(path)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  db.exec(`
    CREATE TABLE kv (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL, version INTEGER NOT NULL);
    CREATE TABLE kv_log (version INTEGER PRIMARY KEY, at INTEGER NOT NULL, changes TEXT NOT NULL);`)
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const select = db.prepare<[string], [string, number]>('SELECT value, version FROM kv WHERE key = ?').raw()
  const range = db
    .prepare<[string, string], [string, string, number]>(
      'SELECT key, value, version FROM kv WHERE key >= ? AND key < ? ORDER BY key',
    )
    .raw()
  const log = db.prepare<[number, string]>('INSERT INTO kv_log (at, changes) VALUES (?, ?)')
  const insert = db.prepare<[string, string, number | bigint]>(
    'INSERT INTO kv (key, value, version) VALUES (?, ?, ?)',
  )
  const upsert = db.prepare<[string, string, number | bigint]>(
    `INSERT INTO kv (key, value, version) VALUES (?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = excluded.version`,
  )
  const count = db.prepare<[], number>('SELECT count(*) FROM kv').pluck()

  return {
    get(key: string): Entry | null {
      const row = select.get(key) as [string, number] | undefined
      return row === undefined ? null : { key, value: JSON.parse(row[0]), version: row[1] }
    },
    list(start: string, end: string): Entry[] {
      const rows = range.all(start, end) as [string, string, number][]
      return rows.map(([key, value, version]) => ({ key, value: JSON.parse(value), version }))
    },
    set(key: string, value: User): void {
      begin.run()
      const { lastInsertRowid } = log.run(Date.now(), key)
      upsert.run(key, JSON.stringify(value), lastInsertRowid)
      commit.run()
    },
    /** Many sets in one transaction, each with a version of its own. */
    setEach(entries: readonly (readonly [string, User])[]): void {
      begin.run()
      for (const [key, value] of entries) {
        const { lastInsertRowid } = log.run(Date.now(), key)
        upsert.run(key, JSON.stringify(value), lastInsertRowid)
      }
      commit.run()
    },
    /** Many sets as one change, with one version. */
    setAll(entries: readonly (readonly [string, User])[]): void {
      begin.run()
      const { lastInsertRowid } = log.run(Date.now(), entries.map(([key]) => key).join('\n'))
      for (const [key, value] of entries) upsert.run(key, JSON.stringify(value), lastInsertRowid)
      commit.run()
    },
    insertAll(cities: readonly City[]): void {
      for (let from = 0; from < cities.length; from += 1_000) {
        begin.run()
        const end = Math.min(from + 1_000, cities.length)
        for (let index = from; index < end; index++) {
          const city = cities[index]!
          insert.run(`cities/${city.cityId}`, JSON.stringify(city), 1)
        }
        commit.run()
      }
    },
    count: () => count.get(),
    checkpoint: () => db.pragma('wal_checkpoint(TRUNCATE)'),
    close: () => db.close(),
  }
}
