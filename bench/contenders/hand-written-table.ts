import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { User } from '../values/user.ts'
import type { Durability, Entry } from './contender.ts'

export interface HandWrittenEntry {
  readonly key: string
  readonly value: User
  readonly version: number
}

const keyOf = (id: string) => `users/${id}`

const handWrittenTables = `
  CREATE TABLE IF NOT EXISTS kv (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL, version INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS kv_log (version INTEGER PRIMARY KEY, at INTEGER NOT NULL, changes TEXT NOT NULL);`

export function openHandWritten(dir: string, durability: Durability): Database.Database {
  const db = new Database(join(dir, 'users.db'))
  db.pragma('journal_mode = WAL')
  db.pragma(`synchronous = ${durability}`)
  db.exec(handWrittenTables)
  return db
}

/** Prepared statements, text keys, JSON values, a version and a log of the commits. */
export function handWrittenTable(db: Database.Database) {
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const select = db.prepare<[string], [string, number]>('SELECT value, version FROM kv WHERE key = ?').raw()
  const selectMany = db
    .prepare<[string], [string, string | null, number | null]>(
      `SELECT wanted.value, kv.value, version FROM json_each(?) AS wanted
       LEFT JOIN kv ON kv.key = wanted.value ORDER BY wanted.key`,
    )
    .raw()
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

  function read(id: string): HandWrittenEntry | null {
    const key = keyOf(id)
    const row = select.get(key) as [string, number] | undefined
    return row === undefined ? null : { key, value: JSON.parse(row[0]), version: row[1] }
  }

  /** A row in the log, and the row with its version. */
  function write(id: string, user: User): void {
    const key = keyOf(id)
    const { lastInsertRowid } = log.run(Date.now(), key)
    upsert.run(key, JSON.stringify(user), lastInsertRowid)
  }

  /** Many rows as one change, with one version. */
  function writeAll(entries: readonly Entry[]): void {
    const { lastInsertRowid } = log.run(Date.now(), entries.map(([id]) => keyOf(id)).join('\n'))
    for (const [id, user] of entries) upsert.run(keyOf(id), JSON.stringify(user), lastInsertRowid)
  }

  return {
    get: read,
    getMany(ids: readonly string[]): (HandWrittenEntry | null)[] {
      const rows = selectMany.all(JSON.stringify(ids.map(keyOf))) as [string, string | null, number][]
      return rows.map(([key, value, version]) =>
        value === null ? null : { key, value: JSON.parse(value), version },
      )
    },
    list(): HandWrittenEntry[] {
      const rows = range.all('users/', 'users0') as [string, string, number][]
      return rows.map(([key, value, version]) => ({ key, value: JSON.parse(value), version }))
    },
    set(id: string, user: User): void {
      begin.run()
      write(id, user)
      commit.run()
    },
    /** Many sets as one change, with one version. */
    setAll(entries: readonly Entry[]): void {
      begin.run()
      writeAll(entries)
      commit.run()
    },
    /** Many sets in one transaction, each with a version of its own. */
    setEach(entries: readonly Entry[]): void {
      begin.run()
      for (const [id, user] of entries) write(id, user)
      commit.run()
    },
    /** The reads of a unit of work, and its commit. */
    swapAges(idOfA: string, idOfB: string): number {
      begin.run()
      const a = read(idOfA)!.value
      const b = read(idOfB)!.value
      const { age } = a
      a.age = b.age
      b.age = age
      writeAll([
        [idOfA, a],
        [idOfB, b],
      ])
      commit.run()
      return a.age + b.age
    },
    insertAll(entries: Iterable<Entry>): void {
      let rows = 0
      for (const [id, user] of entries) {
        if (rows % 1_000 === 0) {
          if (rows > 0) commit.run()
          begin.run()
        }
        insert.run(keyOf(id), JSON.stringify(user), 1)
        rows++
      }
      if (rows > 0) commit.run()
    },
  }
}
