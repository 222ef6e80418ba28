import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3'
import type { EngineTypes } from '../engine.ts'
import type { BetterSqlite3Connection } from './module/better-sqlite3.ts'
import type { ModuleName } from './module/sqlite-module.ts'
import type { KvTables } from './tables/table.ts'

/**
 * Drizzle over a connection to a database; `$client` is that connection: better-sqlite3's own, or one over node:sqlite, which has
 * `name`, `prepare`, `exec`, `pragma`, `transaction`, `function`, `aggregate`, `backup`, `open`, `inTransaction` and `close` of it.
 */
export interface DrizzleDatabase extends BetterSQLite3Database {
  readonly $client: BetterSqlite3Connection
}

/** The options of `open` that only SQLite has. */
export interface SqliteOptions {
  /**
   * Which module runs SQLite: the package better-sqlite3, or the SQLite inside Node.js, which needs no native module. A process
   * opens a file with only one of them. Default: the one that this process used first; at the first open better-sqlite3, or
   * `'node:sqlite'` if that cannot be loaded, for example because the platform has no binary for it.
   */
  readonly engine?: 'better-sqlite3' | 'node:sqlite' | undefined
  /**
   * `'normal'` (the default): you lose nothing that was acknowledged when the process dies. `'full'`: nor when the machine does;
   * each commit waits for the disk.
   */
  readonly durability?: 'normal' | 'full' | undefined
  /** How many milliseconds a call waits for a lock that others hold, before it fails with DatabaseBusyError. Default 5,000. */
  readonly busyTimeout?: number | undefined
  /**
   * Keep a checksum beside each value, and compare the two each time that it is read from the file: one that has changed there, for
   * example by bit rot, is a CorruptValueError. A file has checksums from its creation or never, and then needs no option. docs/reliability.md
   * says what they cost. Default `false`.
   */
  readonly checksums?: boolean | undefined
}

/** The types of SQLite, through better-sqlite3. */
export interface Sqlite extends EngineTypes {
  readonly drizzle: DrizzleDatabase
  readonly tables: KvTables
  readonly options: SqliteOptions
  readonly checked: {
    readonly engine: ModuleName | undefined
    readonly durability: 'normal' | 'full'
    readonly busyTimeout: number
    readonly checksums: boolean
  }
}
