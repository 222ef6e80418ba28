import type { PastSchema } from '../../../catalog/catalog.ts'
import { type StoredPastSchema, storedPastSchema } from '../../../catalog/stored-collection.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { hasTable } from './own-tables.ts'

/** The first migration creates the table. Releases that do not know it ignore it. */
const table = 'kv_past_schemas'
const columns = 'name, pattern, schema, replaced_by'

/** The rows of the table; none if no migration has created it. */
export function readPastSchemas(connection: Connection): readonly (readonly unknown[])[] {
  if (!hasTable(connection, table)) return []
  const read = connection.prepare<[], unknown[]>(`SELECT ${columns} FROM ${table} ORDER BY rowid`)
  return read.raw().all()
}

/** Replaces all past schemas of the database, inside the open transaction. */
export function keepPastSchemas(connection: Connection, past: readonly PastSchema[]): void {
  connection.exec(
    `CREATE TABLE IF NOT EXISTS ${table} (name TEXT NOT NULL, pattern TEXT NOT NULL, schema TEXT, replaced_by TEXT); DELETE FROM ${table}`,
  )
  const insert = connection.prepare<StoredPastSchema>(`INSERT INTO ${table} (${columns}) VALUES (?, ?, ?, ?)`)
  for (const schema of past) insert.run(...storedPastSchema(schema))
}
