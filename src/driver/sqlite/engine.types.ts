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

/** The options of `open` that are those of SQLite. */
export interface SqliteOptions {
  /**
   * What SQLite is reached through: the package better-sqlite3, or the SQLite that is part of Node.js, which needs no native module. One file
   * is open by one of them in a process. Default: the one that this process has used first; for the first time better-sqlite3, and
   * `'node:sqlite'` where that cannot be loaded, as where the platform has no binary of it.
   */
  readonly engine?: 'better-sqlite3' | 'node:sqlite' | undefined
  /**
   * `'normal'` (the default): nothing that was acknowledged is lost when the process dies. `'full'`: nor when the machine
   * does; each commit waits for the disk.
   */
  readonly durability?: 'normal' | 'full' | undefined
  /** Milliseconds for which a call waits for a lock that others hold, before DatabaseBusyError. Default 5,000. */
  readonly busyTimeout?: number | undefined
  /**
   * Keep a checksum beside each value, and hold it against the value each time that it is read: one that has changed in the file, as by
   * bit rot, is a CorruptValueError. A file has them from its creation or never; a file that has them needs no option. What it
   * costs is told in docs/reliability.md. Default `false`.
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
