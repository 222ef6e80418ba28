import { MigrationError } from '../../../contract/errors.ts'
import { hashesOf, type Migration } from '../../migration.ts'
import { journalTable } from '../file/file-format.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { hasTable } from '../tables/own-tables.ts'

/**
 * The migrations that a database has not had yet. Throws a MigrationError where it is newer than the folder, where the
 * folder lacks or interposes a migration, and where the tables were created without migrations.
 */
export function pendingMigrations(
  connection: Connection,
  migrations: readonly Migration[],
): readonly Migration[] {
  const applied = appliedTimes(connection)
  if (applied === null || applied.length === 0) {
    if (hasTable(connection, 'kv')) {
      throw new MigrationError(
        'The database was created without migrations: take it over with "valkeyrie migrate --baseline", which is baseline: true in a program',
      )
    }
    return migrations
  }
  const known = new Set(migrations.map(({ drizzle }) => drizzle.folderMillis))
  const newest = Math.max(...applied)
  const unknown = applied.filter((time) => !known.has(time))
  if (unknown.some((time) => time > (migrations.at(-1)?.drizzle.folderMillis ?? 0))) {
    throw new MigrationError(
      `The database is newer than this code: it has had ${unknown.length === 1 ? 'a migration' : `${unknown.length} migrations`} that the folder does not hold. Deploy the code that made them`,
    )
  }
  if (unknown.length > 0) {
    throw new MigrationError(
      'The database has had a migration that the folder no longer holds: restore the file from version control',
    )
  }
  const done = new Set(applied)
  const pending = migrations.filter(({ drizzle }) => !done.has(drizzle.folderMillis))
  const late = pending.find(({ drizzle }) => drizzle.folderMillis < newest)
  if (late !== undefined) {
    throw new MigrationError(
      `${late.tag} stands before a migration that the database has had already, so it would be skipped: generate it anew on top of the others`,
    )
  }
  return pending
}

/** Marks a migration as one that the database has had. */
export function markApplied(connection: Connection, { drizzle }: Migration): void {
  connection.exec(
    `CREATE TABLE IF NOT EXISTS ${journalTable} (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)`,
  )
  connection
    .prepare(`INSERT INTO ${journalTable} (hash, created_at) VALUES (?, ?)`)
    .run(drizzle.hash, drizzle.folderMillis)
}

/** Those that the database has had. */
export function appliedMigrations(
  connection: Connection,
  migrations: readonly Migration[],
): readonly Migration[] {
  const applied = new Set(appliedTimes(connection))
  return migrations.filter(({ drizzle }) => applied.has(drizzle.folderMillis))
}

/** Those that the database has had as another text than they have now. What ends a line is no difference: a checkout may change it. */
export function editedMigrations(
  connection: Connection,
  migrations: readonly Migration[],
): readonly Migration[] {
  if (!hasTable(connection, journalTable)) return []
  const rows = connection
    .prepare<[], [unknown, unknown]>(`SELECT created_at, hash FROM ${journalTable}`)
    .raw()
    .all()
  const hashes = new Map(rows.map(([time, hash]) => [Number(time), hash]))
  return migrations.filter((migration) => {
    const hash = hashes.get(migration.drizzle.folderMillis)
    return typeof hash === 'string' && !hashesOf(migration).includes(hash)
  })
}

/** Whether the database has had a migration. */
export function isApplied(connection: Connection, migration: Migration): boolean {
  return appliedMigrations(connection, [migration]).length > 0
}

function appliedTimes(connection: Connection): number[] | null {
  if (!hasTable(connection, journalTable)) return null
  return connection.prepare<[], number>(`SELECT created_at FROM ${journalTable}`).pluck().all().map(Number)
}
