import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type { EngineTypes } from '../engine.ts'
import type { PostgresTables } from './tables/table.ts'

/** What a statement gives that is none of Drizzle's own queries, as `db.drizzle.execute`. */
export interface PostgresResult<Row> {
  readonly rows: Row[]
  readonly rowCount: number | null
}

interface ResultOfStatement extends PgQueryResultHKT {
  type: PostgresResult<this['row']>
}

/** Drizzle over connections of its own to a database on PostgreSQL. */
export interface PostgresDrizzle extends PgDatabase<ResultOfStatement, Record<string, never>> {}

/** The options of `open` that are those of PostgreSQL. */
export interface PostgresOptions {
  /** The schema of the server's database that keeps the tables. Default: that of the address, as `?schema=shop`, else `'valkeyrie'`. */
  readonly schema?: string | undefined
  /** The most connections to the server, at least 3. Default 10. */
  readonly connections?: number | undefined
  /** Milliseconds for which a call waits for a lock that others hold, before DatabaseBusyError. Default 5,000. */
  readonly busyTimeout?: number | undefined
  /**
   * Milliseconds for which a call tries to reach the server, and to reach it again where the connection was lost. Default 10,000.
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
