import type { Migration } from '../../migration.ts'
import { appliedOf, type MigrationHistory, pendingOf } from '../../migration-history.ts'
import { journalTable } from '../file/file-format.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { hasTable } from '../tables/own-tables.ts'

/** `pendingOf` for a file. */
export function pendingMigrations(
  connection: Connection,
  migrations: readonly Migration[],
): readonly Migration[] {
  return pendingOf(readHistory(connection), migrations)
}

/** Records a migration as applied. */
export function markApplied(connection: Connection, { drizzle }: Migration): void {
  connection.exec(
    `CREATE TABLE IF NOT EXISTS ${journalTable} (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)`,
  )
  connection
    .prepare(`INSERT INTO ${journalTable} (hash, created_at) VALUES (?, ?)`)
    .run(drizzle.hash, drizzle.folderMillis)
}

/** Whether the database has had a migration. */
export function isApplied(connection: Connection, migration: Migration): boolean {
  return appliedOf(readHistory(connection), [migration]).length > 0
}

export function readHistory(connection: Connection): MigrationHistory {
  const hasTables = hasTable(connection, 'kv')
  if (!hasTable(connection, journalTable)) return { applied: null, hasTables }
  const rows = connection
    .prepare<[], [unknown, unknown]>(`SELECT created_at, hash FROM ${journalTable}`)
    .raw()
    .all()
  return { applied: rows.map(([when, hash]) => ({ when: Number(when), hash })), hasTables }
}
