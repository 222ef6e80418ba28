import type Database from 'better-sqlite3'
import { ChangeLog } from '../change-log.ts'

/** The new values of a step, until all of them are there and go into `kv` at once. */
export const stagingTable = '__valkeyrie_staged'

/** A row that a step has to make a new value of. */
export interface OldRow {
  readonly key: Uint8Array
  readonly value: string | Uint8Array
  readonly encoding: number
  readonly types: string | null
  readonly version: number
}

/** What a step has made of a row: its new value, or why there is none. */
export interface StagedRow extends OldRow {
  readonly error: string | null
}

/** What has failed of a step. */
export interface FailedRow {
  readonly key: Uint8Array
  readonly error: string
}

/**
 * The results of one step in the database. They outlive the process, so that a run that was killed is continued. `id` tells which
 * program has made them.
 */
export class StagedStep {
  readonly #connection: Database.Database
  readonly #id: string
  readonly #collection: string

  constructor(connection: Database.Database, id: string, collection: string) {
    this.#connection = connection
    this.#id = id
    this.#collection = collection
  }

  /** Makes room for the results, and drops those of other programs. Gives how many there are. */
  begin(): number {
    this.#connection.exec(
      `CREATE TABLE IF NOT EXISTS ${stagingTable} (step TEXT, key BLOB, version INTEGER, value, encoding INTEGER, types TEXT, error TEXT, PRIMARY KEY (step, key)) WITHOUT ROWID`,
    )
    const prefix = this.#id.slice(0, this.#id.lastIndexOf(':') + 1)
    this.#connection
      .prepare(`DELETE FROM ${stagingTable} WHERE substr(step, 1, ?) = ? AND step <> ?`)
      .run(prefix.length, prefix, this.#id)
    return this.#connection
      .prepare<[string], number>(`SELECT count(*) FROM ${stagingTable} WHERE step = ?`)
      .pluck()
      .get(this.#id)!
  }

  /** The last key that there is a result of. */
  last(): Uint8Array {
    const key = this.#connection
      .prepare<[string], Uint8Array | null>(`SELECT max(key) FROM ${stagingTable} WHERE step = ?`)
      .pluck()
      .get(this.#id)
    return key ?? new Uint8Array()
  }

  /** Rows after a key that may have no result yet. */
  rowsAfter(key: Uint8Array, limit: number): OldRow[] {
    return this.#connection
      .prepare<[string, Uint8Array, number, number], OldRow>(
        `SELECT key, value, encoding, types, version FROM kv WHERE collection = ? AND key > ?
         AND (expires_at IS NULL OR expires_at > ?) ORDER BY key LIMIT ?`,
      )
      .all(this.#collection, key, Date.now(), limit)
  }

  /** Rows that others have written since their result was made, or that have none. */
  staleRows(limit: number): OldRow[] {
    return this.#connection
      .prepare<[string, string, number, number], OldRow>(
        `SELECT kv.key, kv.value, kv.encoding, kv.types, kv.version FROM kv
         LEFT JOIN ${stagingTable} AS staged ON staged.step = ? AND staged.key = kv.key
         WHERE collection = ? AND staged.version IS NOT kv.version
         AND (expires_at IS NULL OR expires_at > ?) LIMIT ?`,
      )
      .all(this.#id, this.#collection, Date.now(), limit)
  }

  /** Adds results, in a transaction of their own. */
  stage(rows: readonly StagedRow[]): void {
    const insert = this.#connection.prepare(
      `INSERT OR REPLACE INTO ${stagingTable} VALUES (?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#connection.exec('BEGIN IMMEDIATE')
    try {
      for (const { key, version, value, encoding, types, error } of rows) {
        insert.run(this.#id, key, version, value, encoding, types, error)
      }
      this.#connection.exec('COMMIT')
    } finally {
      if (this.#connection.inTransaction) this.#connection.exec('ROLLBACK')
    }
  }

  /** The rows that still are in the database and could not be converted. */
  failures(): FailedRow[] {
    return this.#connection
      .prepare<[string], FailedRow>(
        `SELECT key, error FROM ${stagingTable} AS staged WHERE step = ? AND error IS NOT NULL
         AND EXISTS (SELECT 1 FROM kv WHERE kv.key = staged.key) ORDER BY key`,
      )
      .all(this.#id)
  }

  /** The stored form of a row, for an export. */
  read(key: Uint8Array): OldRow | undefined {
    return this.#connection
      .prepare<[Uint8Array], OldRow>('SELECT key, value, encoding, types, version FROM kv WHERE key = ?')
      .get(key)
  }

  /** Puts the results into `kv` as one commit, inside the transaction that is open. */
  write(): void {
    const version = this.#connection
      .prepare<[], number>('SELECT coalesce(max(version), 0) + 1 FROM kv_log')
      .pluck()
      .get()!
    this.#connection
      .prepare(
        `UPDATE kv SET value = staged.value, encoding = staged.encoding, types = staged.types, version = ?
         FROM ${stagingTable} AS staged WHERE staged.step = ? AND staged.key = kv.key AND staged.error IS NULL
         AND (kv.value IS NOT staged.value OR kv.encoding IS NOT staged.encoding OR kv.types IS NOT staged.types)`,
      )
      .run(version, this.#id)
    const log = new ChangeLog(false)
    const written = this.#connection
      .prepare<[string, number], Uint8Array>('SELECT key FROM kv WHERE collection = ? AND version = ?')
      .pluck()
      .all(this.#collection, version)
    for (const key of written) log.add('set', key)
    if (written.length > 0) {
      this.#connection
        .prepare('INSERT INTO kv_log (version, at, changes) VALUES (?, ?, ?)')
        .run(version, Date.now(), log.take())
    }
  }

  /** Removes all results. */
  discard(): void {
    this.#connection.exec(`DROP TABLE IF EXISTS ${stagingTable}`)
  }
}
