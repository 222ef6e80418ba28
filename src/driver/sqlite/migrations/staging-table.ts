import { ChangeLog } from '../../../commit/log-format.ts'
import { sealed, unsealed } from '../../../value/checksum.ts'
import type { FailedRow, OldRow, StagedRow } from '../../migration-database.ts'
import { isSealed } from '../file/file-format.ts'
import type { Connection } from '../module/sqlite-module.ts'
import type { WaitingIndexes } from './waiting-indexes.ts'

/** The new values of a step, until all of them are ready to go into `kv` at once. */
export const stagingTable = '__valkeyrie_staged'

export const createStaging = `CREATE TABLE IF NOT EXISTS ${stagingTable} (step TEXT, key BLOB, version INTEGER, value, encoding INTEGER, types TEXT, error TEXT, PRIMARY KEY (step, key)) WITHOUT ROWID`

export const dropStaging = `DROP TABLE IF EXISTS ${stagingTable}`

/** Expired rows are not converted, and wait to be removed. Takes the time. */
export const isAlive = '(expires_at IS NULL OR expires_at > ?)'

/**
 * The results of one step, stored in the database, so that they survive a process that was killed. `id` identifies the program that
 * made them.
 */
export class StagingTable {
  readonly #connection: Connection
  readonly #id: string
  readonly #collection: string
  /** Whether values have checksums. Results are staged with theirs, as they will be in `kv`. */
  readonly #checksums: boolean

  constructor(connection: Connection, id: string, collection: string) {
    this.#connection = connection
    this.#id = id
    this.#collection = collection
    this.#checksums = isSealed(connection)
  }

  /** Prepares for results, and drops those of other programs. Returns how many there are. */
  begin(): number {
    this.#connection.exec(createStaging)
    const prefix = this.#id.slice(0, this.#id.lastIndexOf(':') + 1)
    this.#connection
      .prepare(`DELETE FROM ${stagingTable} WHERE substr(step, 1, ?) = ? AND step <> ?`)
      .run(prefix.length, prefix, this.#id)
    return this.#connection
      .prepare<[string], number>(`SELECT count(*) FROM ${stagingTable} WHERE step = ?`)
      .pluck()
      .get(this.#id)!
  }

  /** The last key with a result. */
  last(): Uint8Array {
    const key = this.#connection
      .prepare<[string], Uint8Array | null>(`SELECT max(key) FROM ${stagingTable} WHERE step = ?`)
      .pluck()
      .get(this.#id)
    return key ?? new Uint8Array()
  }

  /** Rows after a key that may not have a result yet. */
  rowsAfter(key: Uint8Array, limit: number): OldRow[] {
    const rows = this.#connection
      .prepare<[string, Uint8Array, number, number], OldRow>(
        `SELECT key, value, encoding, types, version FROM kv WHERE collection = ? AND key > ?
         AND ${isAlive} ORDER BY key LIMIT ?`,
      )
      .all(this.#collection, key, Date.now(), limit)
    return this.#plain(rows)
  }

  /** Rows after a key that have no result, or that others have written since. */
  staleRows(key: Uint8Array, limit: number): OldRow[] {
    const rows = this.#connection
      .prepare<[string, string, Uint8Array, number, number], OldRow>(
        `SELECT kv.key, kv.value, kv.encoding, kv.types, kv.version FROM kv
         LEFT JOIN ${stagingTable} AS staged ON staged.step = ? AND staged.key = kv.key
         WHERE collection = ? AND kv.key > ? AND staged.version IS NOT kv.version AND ${isAlive}
         ORDER BY kv.key LIMIT ?`,
      )
      .all(this.#id, this.#collection, key, Date.now(), limit)
    return this.#plain(rows)
  }

  /** Stores results, inside the open transaction. */
  put(rows: readonly StagedRow[]): void {
    const insert = this.#connection.prepare(
      `INSERT OR REPLACE INTO ${stagingTable} VALUES (?, ?, ?, ?, ?, ?, ?)`,
    )
    for (const row of rows) {
      const { key, version, value, encoding, types, error } = this.#checksums ? sealed(row) : row
      insert.run(this.#id, key, version, value, encoding, types, error)
    }
  }

  /** Stores results, in their own transaction. */
  stage(rows: readonly StagedRow[]): void {
    this.#connection.exec('BEGIN IMMEDIATE')
    try {
      this.put(rows)
      this.#connection.exec('COMMIT')
    } finally {
      if (this.#connection.inTransaction) this.#connection.exec('ROLLBACK')
    }
  }

  /** The existing rows that could not be converted, in their stored form. */
  failures(): FailedRow[] {
    const rows = this.#connection
      .prepare<[string, string, number], FailedRow>(
        `SELECT kv.key, kv.value, kv.encoding, kv.types, kv.version, kv.expires_at AS expiresAt, staged.error
         FROM ${stagingTable} AS staged
         JOIN kv ON kv.key = staged.key AND kv.version = staged.version
         WHERE step = ? AND collection = ? AND error IS NOT NULL AND ${isAlive} ORDER BY kv.key`,
      )
      .all(this.#id, this.#collection, Date.now())
    return this.#plain(rows)
  }

  /** Puts the results into `kv` as one commit, inside the open transaction. */
  write(waiting: WaitingIndexes): void {
    const version = this.#connection
      .prepare<[], number>('SELECT coalesce(max(version), 0) + 1 FROM kv_log')
      .pluck()
      .get()!
    const now = Date.now()
    const update = this.#connection.prepare(
      `UPDATE kv SET value = staged.value, encoding = staged.encoding, types = staged.types, version = ?
         FROM ${stagingTable} AS staged WHERE staged.step = ? AND staged.key = kv.key AND staged.version = kv.version
         AND staged.error IS NULL AND collection = ? AND ${isAlive}
         AND (kv.value IS NOT staged.value OR kv.encoding IS NOT staged.encoding OR kv.types IS NOT staged.types)`,
    )
    const isOwn = (collection: string) => collection === this.#collection
    waiting.run(isOwn, () => update.run(version, this.#id, this.#collection, now))
    const log = new ChangeLog(false)
    const written = this.#connection
      .prepare<[string, number], Uint8Array>('SELECT key FROM kv WHERE collection = ? AND version = ?')
      .pluck()
    let count = 0
    for (const key of written.iterate(this.#collection, version)) {
      log.add('set', key)
      count += 1
    }
    if (count === 0) return
    this.#connection
      .prepare('INSERT INTO kv_log (version, at, changes) VALUES (?, ?, ?)')
      .run(version, now, log.take())
  }

  /** Removes the results of this step. */
  discard(): void {
    this.#connection.prepare(`DELETE FROM ${stagingTable} WHERE step = ?`).run(this.#id)
  }

  #plain<Row extends OldRow>(rows: Row[]): Row[] {
    return this.#checksums ? rows.map(unsealed) : rows
  }
}
