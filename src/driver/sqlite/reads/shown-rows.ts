import { sqliteTable } from 'drizzle-orm/sqlite-core'
import { sealed } from '../../../value/checksum.ts'
import type { ShownRow } from '../../driver.ts'
import { engineCode } from '../file/engine-error.ts'
import type { Connection, EngineStatement } from '../module/sqlite-module.ts'
import { type KvTables, kvColumns } from '../tables/table.ts'
import type { RowReads } from './row-reads.ts'

/** What a statement reads: the stored rows, or those that a session was shown in their place. */
export const storedRows = 'kv'
const seenRows = 'kv_seen as kv'

/** Private to a connection and in memory: writing to it needs no lock of the database, and nobody else sees it. */
const createView = `
  CREATE TEMP TABLE IF NOT EXISTS kv_shown (
    key BLOB PRIMARY KEY NOT NULL, collection TEXT, encoding INTEGER NOT NULL, types TEXT, version INTEGER NOT NULL,
    expires_at INTEGER, value TEXT NOT NULL, gone INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TEMP VIEW IF NOT EXISTS kv_seen AS
    SELECT key, collection, encoding, types, version, expires_at, value FROM main.kv
      WHERE key NOT IN (SELECT key FROM temp.kv_shown)
    UNION ALL
    SELECT key, collection, encoding, types, version, expires_at, value FROM temp.kv_shown WHERE gone = 0`

const shownColumns = ['collection', 'encoding', 'types', 'version', 'expires_at', 'value', 'gone']

/** The tables of a database, with `kv_seen` instead of `kv`. */
export function shownTables(tables: KvTables): KvTables {
  return { ...tables, kv: sqliteTable('kv_seen', kvColumns()) as unknown as KvTables['kv'] }
}

/** A session that was shown rows: a list that only grows. */
interface Shown {
  readonly rows: readonly ShownRow[]
}

/** Reads of one connection that see the rows shown to a session instead of the stored ones; one session at a time. */
export class ShownRows {
  readonly #database: Connection
  readonly #makeReads: (source: string) => RowReads
  readonly #checksums: boolean
  readonly #searches: readonly string[]
  #reads: RowReads | undefined
  #owner: Shown | null = null
  #filled = 0
  #insert: EngineStatement | undefined

  /**
   * `checksums`: stored values have them, so shown values need them, too. `searches`: the statements that create the searches of
   * shown rows.
   */
  constructor(
    database: Connection,
    makeReads: (source: string) => RowReads,
    checksums: boolean,
    searches: readonly string[],
  ) {
    this.#searches = searches
    this.#database = database
    this.#checksums = checksums
    this.#makeReads = makeReads
  }

  /** The reads that see these rows, inside the open transaction, until the next call. */
  readsOf(shown: Shown): RowReads {
    if (this.#owner !== shown) {
      this.#database.exec(createView)
      for (const search of this.#searches) this.#database.exec(search)
      this.#empty()
      this.#owner = shown
    }
    for (; this.#filled < shown.rows.length; this.#filled++) this.#fill(shown.rows[this.#filled]!)
    this.#reads ??= this.#makeReads(seenRows)
    return this.#reads
  }

  /** Called after a transaction was rolled back, and with it what was filled in. */
  forget(): void {
    this.#owner = null
  }

  /** The session has ended, but its rows are kept until the next session is shown some. */
  disown(shown: Shown): void {
    if (this.#owner === shown) this.#owner = null
  }

  /** The session has ended: removes its rows. */
  release(shown: Shown): void {
    if (this.#owner !== shown) return
    this.#owner = null
    if (!this.#database.open) return
    try {
      this.#empty()
    } catch (error) {
      // In a damaged file: the next session removes them first.
      if (engineCode(error) === undefined) throw error
    }
  }

  #empty(): void {
    this.#database.exec('DELETE FROM temp.kv_shown')
    this.#filled = 0
  }

  #fill({ key, collection, row }: ShownRow): void {
    this.#insert ??= this.#database.prepare(
      `INSERT INTO temp.kv_shown (key, ${shownColumns.join(', ')}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (key) DO UPDATE SET ${shownColumns.map((column) => `${column} = excluded.${column}`).join(', ')}`,
    )
    // SQLite may evaluate conditions on fields before it sees that the row is gone, and fails if its value is not JSON.
    if (row === null) this.#insert.run(key, null, 0, null, 0, null, 'null', 1)
    else {
      const { encoding, types, version, expiresAt, value } = this.#checksums ? sealed(row) : row
      this.#insert.run(key, collection, encoding, types, version, expiresAt, value, 0)
    }
  }
}
