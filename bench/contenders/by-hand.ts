import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { User } from '../values/user.ts'
import { type Contender, type Durability, type Entry, type Store, swapAges, versionOf } from './contender.ts'

interface Row {
  readonly key: string
  readonly value: User
  readonly version: number
}

/**
 * What one would write by hand on better-sqlite3 for this work and nothing else: synchronous calls, without schemas,
 * expiry or indexes.
 */
export const byHand: Contender = {
  name: 'by hand',
  version: `better-sqlite3 ${versionOf('better-sqlite3')}`,
  note: "prepared statements for this work and nothing else; no checks of values, no expiry; SQLite's default cache and checkpoints",
  open: (dir, _, durability) => handWritten(openTables(dir, durability)),
}

export function openTables(dir: string, durability: Durability): Database.Database {
  const db = new Database(join(dir, 'users.db'))
  db.pragma('journal_mode = WAL')
  db.pragma(`synchronous = ${durability}`)
  db.exec(`
    CREATE TABLE IF NOT EXISTS kv (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL, version INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS kv_log (version INTEGER PRIMARY KEY, at INTEGER NOT NULL, changes TEXT NOT NULL);`)
  return db
}

const keyOf = (id: string) => `users/${id}`

/** Prepared statements, text keys, JSON values, a version and a log of the commits. */
export function handWritten(db: Database.Database) {
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const select = db.prepare('SELECT value, version FROM kv WHERE key = ?').raw()
  const selectMany = db
    .prepare(
      `SELECT wanted.value, kv.value, version FROM json_each(?) AS wanted
       LEFT JOIN kv ON kv.key = wanted.value ORDER BY wanted.key`,
    )
    .raw()
  const range = db.prepare('SELECT key, value, version FROM kv WHERE key >= ? AND key < ? ORDER BY key').raw()
  const log = db.prepare('INSERT INTO kv_log (at, changes) VALUES (?, ?)')
  const insert = db.prepare('INSERT INTO kv (key, value, version) VALUES (?, ?, ?)')
  const upsert = db.prepare(
    `INSERT INTO kv (key, value, version) VALUES (?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = excluded.version`,
  )

  function get(id: string): Row | null {
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
    get,
    userOf: (row) => row?.value,
    getMany(ids) {
      const rows = selectMany.all(JSON.stringify(ids.map(keyOf))) as [string, string | null, number][]
      return rows.map(([key, value, version]) =>
        value === null ? null : { key, value: JSON.parse(value), version },
      )
    },
    set(id, user) {
      begin.run()
      write(id, user)
      commit.run()
    },
    /** In one transaction, each with a version of its own. */
    setsAtOnce(entries: readonly Entry[]) {
      begin.run()
      for (const [id, user] of entries) write(id, user)
      commit.run()
    },
    atomic(entries) {
      begin.run()
      writeAll(entries)
      commit.run()
    },
    swapAges(idOfA, idOfB) {
      begin.run()
      const a = get(idOfA)!.value
      const b = get(idOfB)!.value
      const sum = swapAges(a, b)
      writeAll([
        [idOfA, a],
        [idOfB, b],
      ])
      commit.run()
      return sum
    },
    list() {
      const rows = range.all('users/', 'users0') as [string, string, number][]
      return rows.map(([key, value, version]) => ({ key, value: JSON.parse(value), version }))
    },
    userOfListed: ({ value }) => value,
    load(entries) {
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
    close: () => db.close(),
  } satisfies Store<Row | null, Row>
}
