import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3'
import { BetterSQLiteSession } from 'drizzle-orm/better-sqlite3/session'
import { entityKind } from 'drizzle-orm/entity'
import type { Logger } from 'drizzle-orm/logger'
import { BaseSQLiteDatabase, SQLiteSyncDialect } from 'drizzle-orm/sqlite-core'
import type { BetterSqlite3Connection } from './better-sqlite3.ts'
import type { Connection } from './sqlite-module.ts'

/**
 * The class of databases that `drizzle-orm/better-sqlite3` makes; importing it from there would load better-sqlite3. `is` of
 * drizzle-orm does not distinguish the two.
 */
class SyncDatabase extends BaseSQLiteDatabase<'sync', unknown> {
  static override readonly [entityKind] = 'BetterSQLite3Database'
}

type Drizzle = BetterSQLite3Database & { readonly $client: BetterSqlite3Connection }

/** Drizzle over a connection of any module. */
export function drizzleOver(connection: Connection, logger?: Logger): Drizzle {
  const dialect = new SQLiteSyncDialect()
  const session = sessionOver(connection, dialect, logger)
  const db = new SyncDatabase('sync', dialect, session as never, undefined)
  return Object.assign(db, { $client: connection }) as unknown as Drizzle
}

/** Runs Drizzle's statements on a connection of any module. */
export function sessionOver(connection: Connection, dialect: SQLiteSyncDialect, logger?: Logger) {
  const client = connection as unknown as BetterSqlite3Connection
  return new BetterSQLiteSession(client, dialect, undefined, logger === undefined ? {} : { logger })
}
