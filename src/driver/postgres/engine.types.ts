import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type { EngineTypes } from '../engine.ts'
import type { PostgresTables } from './tables/table.ts'

/** The result of a raw statement, as from `db.drizzle.execute`. */
export interface PostgresResult<Row> {
  readonly rows: Row[]
  readonly rowCount: number | null
}

interface ResultOfStatement extends PgQueryResultHKT {
  type: PostgresResult<this['row']>
}

/** Drizzle over separate connections to a database on PostgreSQL. */
export interface PostgresDrizzle extends PgDatabase<ResultOfStatement, Record<string, never>> {}

/** The options of `open` that only PostgreSQL has. */
export interface PostgresOptions {
  /**
   * The schema of the server's database that holds the tables. Default: the one in the address, `?schema=shop`, else
   * `'valkeyrie'`.
   */
  readonly schema?: string | undefined
  /** The most connections to the server, at least 3. Default 10. */
  readonly connections?: number | undefined
  /** How many milliseconds a call waits for a lock that others hold, before it fails with DatabaseBusyError. Default 5,000. */
  readonly busyTimeout?: number | undefined
  /**
   * How many milliseconds a call waits for a connection to the server, and tries to reach it again after a lost one. Default 10,000.
   * `open` does not try again: it rejects as soon as the server refuses a connection, or loses one.
   */
  readonly connectTimeout?: number | undefined
}

export interface CheckedPostgresOptions {
  readonly schema: string
  readonly connections: number
  readonly busyTimeout: number
  readonly connectTimeout: number
}

/** The types of PostgreSQL, through `pg`. */
export interface Postgres extends EngineTypes {
  readonly drizzle: PostgresDrizzle
  readonly tables: PostgresTables
  readonly options: PostgresOptions
  readonly checked: Omit<CheckedPostgresOptions, 'schema'> & { readonly schema: string | undefined }
}
