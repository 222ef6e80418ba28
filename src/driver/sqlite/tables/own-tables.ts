import { getTableConfig } from 'drizzle-orm/sqlite-core'
import type { Connection } from '../module/sqlite-module.ts'
import { createTable } from './ddl.ts'
import type { KvTables } from './table.ts'

/** The tables and their columns, as in `kvTables`, which opening an existing file does not need otherwise. */
export const ownColumns: Readonly<Record<string, readonly string[]>> = {
  kv: ['key', 'collection', 'encoding', 'types', 'version', 'expires_at', 'value'],
  kv_log: ['version', 'at', 'changes'],
  kv_collections: ['name', 'pattern', 'schema', 'version', 'indexes', 'references', 'migrated'],
}

/** Whether the tables exist. */
export function hasTables(connection: Connection): boolean {
  return Object.keys(ownColumns).every((table) => hasTable(connection, table))
}

/** Whether the tables exist with all their columns. */
export function hasOwnTables(connection: Connection): boolean {
  const names = connection.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck()
  return Object.entries(ownColumns).every(([table, columns]) => {
    const there = names.all(table)
    return columns.every((column) => there.includes(column))
  })
}

/** Tables in the file that do not belong to the database, such as that of its migrations. */
export function otherTables(connection: Connection): string[] {
  const own = [...Object.keys(ownColumns), 'kv_turns', 'kv_past_schemas']
  return connection
    .prepare<[], string>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name",
    )
    .pluck()
    .all()
    .filter((name) => !own.includes(name))
}

/** Creates the tables, or what those of an older release lack, inside the open transaction. */
export function createOwnTables(connection: Connection, tables: KvTables): void {
  for (const table of Object.values(tables)) {
    connection.exec(createTable(table))
    const { name, columns } = getTableConfig(table)
    const there = columnsOf(connection, name)
    for (const column of columns) {
      if (there.has(column.name)) continue
      connection.exec(`ALTER TABLE "${name}" ADD COLUMN "${column.name}" ${column.getSQLType()}`)
    }
  }
}

export function hasTable(connection: Connection, name: string): boolean {
  return (
    connection.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !==
    undefined
  )
}

function columnsOf(connection: Connection, table: string): ReadonlySet<string> {
  const names = connection.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck()
  return new Set(names.all(table))
}
