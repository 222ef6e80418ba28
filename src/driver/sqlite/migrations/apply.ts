import type Database from 'better-sqlite3'
import { BetterSQLiteSession } from 'drizzle-orm/better-sqlite3/session'
import { SQLiteSyncDialect } from 'drizzle-orm/sqlite-core'
import { MigrationError } from '../../../errors.ts'
import { markFormat } from '../connection.ts'
import { engineCode } from '../engine-error.ts'
import { duplicatesError } from '../indexes.ts'
import { kvTables } from '../table.ts'
import type { Migration } from './folder.ts'

/**
 * Applies a migration with Drizzle's migrator, inside the transaction that is open. Throws a MigrationError that lists the keys
 * where a unique index finds duplicates.
 */
export function applyMigration(connection: Database.Database, migration: Migration): void {
  const dialect = new SQLiteSyncDialect()
  const session = new BetterSQLiteSession(insideTransaction(connection, migration), dialect, undefined, {})
  try {
    dialect.migrate([migration.drizzle], session)
  } catch (error) {
    throw reasonOf(error, migration)
  }
  markFormat(connection)
}

/** Drizzle begins a transaction of its own: inside the open one, that is a savepoint. */
const nested: Record<string, string> = {
  BEGIN: 'SAVEPOINT drizzle_migration',
  COMMIT: 'RELEASE drizzle_migration',
  ROLLBACK: 'ROLLBACK TO drizzle_migration',
}

function insideTransaction(connection: Database.Database, migration: Migration): Database.Database {
  const prepare = (text: string) => {
    const statement = connection.prepare(nested[text.trim()] ?? text)
    const [, index] = text.match(/^\s*CREATE UNIQUE INDEX "?([^"\s]+)"?/) ?? []
    if (index === undefined) return statement
    // Before the migrator undoes everything: the values that clash may be those that the migration has made.
    const run = () => {
      try {
        return statement.run()
      } catch (error) {
        if (engineCode(error) !== 'SQLITE_CONSTRAINT_UNIQUE') throw error
        const { collections } = migration.snapshot
        throw duplicatesError(connection, kvTables(), collections, index, error)
      }
    }
    return { run }
  }
  return { prepare } as unknown as Database.Database
}

/** What lies behind Drizzle's wrapping of errors. */
function reasonOf(error: unknown, { tag }: Migration): unknown {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof MigrationError) return cause
    if (engineCode(cause) !== undefined) {
      if (engineCode(cause) === 'SQLITE_BUSY') return cause
      return new MigrationError(`${tag} failed, and nothing of it was applied: ${cause.message}`, { cause })
    }
  }
  return error
}
