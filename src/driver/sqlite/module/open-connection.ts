import { loadBetterSqlite3 } from './better-sqlite3.ts'
import type { Connection, ConnectionMode, SqliteModule } from './sqlite-module.ts'

let module: SqliteModule | undefined

/** Loads what SQLite is reached through. To be awaited before the first connection is opened. */
export async function loadModule(): Promise<SqliteModule> {
  module ??= await loadBetterSqlite3()
  return module
}

/** Opens a connection to a file, or to a database in memory. */
export function openConnection(path: string, mode: ConnectionMode = {}): Connection {
  if (module === undefined) throw new Error('No module of SQLite is loaded')
  return module.open(path, mode)
}
