import { SQLiteSyncDialect } from 'drizzle-orm/sqlite-core'
import type { Catalog } from '../../../catalog/catalog.ts'
import { type SearchOf, searchesOf } from '../../../catalog/searches.ts'
import { MigrationError } from '../../../contract/errors.ts'
import type { Migration } from '../../migration.ts'
import { pastSchemas } from '../../past-schemas.ts'
import { engineCode, isBusy } from '../file/engine-error.ts'
import { markFormat } from '../file/file-format.ts'
import { sessionOver } from '../module/drizzle-over.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { readCatalog } from '../tables/catalog.ts'
import { hasTable } from '../tables/own-tables.ts'
import { keepPastSchemas } from '../tables/past-schemas.ts'
import { quoteText } from '../tables/table.ts'
import { isDoneAhead } from './built-ahead.ts'
import { registerMigrated } from './register.ts'
import { createStaging, dropStaging, type StagingTable } from './staging-table.ts'
import { damagedRows, explainFailure, FieldsUntold } from './statement-failure.ts'
import { WaitingIndexes } from './waiting-indexes.ts'

/**
 * Applies one of these migrations with Drizzle's migrator, inside the open transaction, after the results of its steps. Throws a
 * MigrationError that lists the keys of rows that are in the way.
 */
export function applyMigration(
  connection: Connection,
  migrations: readonly Migration[],
  migration: Migration,
  staged: readonly StagingTable[] = [],
): void {
  const { collections, steps } = migration.snapshot
  const dialect = new SQLiteSyncDialect()
  const waiting = new WaitingIndexes(connection)
  const session = sessionOver(insideTransaction(connection, searchesOf(collections), waiting), dialect)
  const before: Catalog = hasTable(connection, 'kv_collections') ? readCatalog(connection) : unknown
  // The migration of a step removes its results, even if there were no rows.
  if (steps.length > 0) connection.exec(createStaging)
  try {
    for (const table of staged) table.write(waiting)
    dialect.migrate([migration.drizzle], session)
    waiting.restore()
  } catch (error) {
    throw reasonOf(connection, error, migration)
  }
  connection.exec(dropStaging)
  registerMigrated(connection, collections, before)
  keepPastSchemas(connection, pastSchemas(migrations, migration, before))
  markFormat(connection)
}

const unknown: Catalog = { version: 0, collections: [], past: [] }

/** Drizzle begins a transaction of its own; inside the open one, that becomes a savepoint. */
const nested: Record<string, string> = {
  BEGIN: 'SAVEPOINT drizzle_migration',
  COMMIT: 'RELEASE drizzle_migration',
  ROLLBACK: 'ROLLBACK TO drizzle_migration',
}

const nothing = { run() {} }

function insideTransaction(
  connection: Connection,
  searches: readonly SearchOf[],
  waiting: WaitingIndexes,
): Connection {
  const prepare = (text: string) => {
    const statement = withoutComments(text)
    // drizzle-kit begins a migration to be written by hand with a comment.
    if (statement === '') return nothing
    if (isDoneAhead(connection, statement, searches, waiting)) return nothing
    const concerns = (collection: string) => statement.includes(quoteText(collection))
    const prepared = connection.prepare(nested[statement] ?? statement)
    if (prepared.reader) return prepared
    // Before the migrator rolls everything back: the rows in the way may come from the migration itself.
    const run = (...parameters: unknown[]) => {
      try {
        const once = () => prepared.run(...parameters)
        return statement.startsWith('CREATE ') ? once() : waiting.run(concerns, once)
      } catch (error) {
        throw explainFailure(connection, statement, error)
      }
    }
    return { run }
  }
  return { prepare } as unknown as Connection
}

function withoutComments(text: string): string {
  return text.replace(/^(\s*--.*(\n|$)|\s+)+/, '').trimEnd()
}

/** Unwraps Drizzle's errors. */
function reasonOf(connection: Connection, error: unknown, { tag }: Migration): unknown {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof MigrationError) return cause
    // The migrator has rolled everything back, so the rows have their old keys again, by which they can be fixed.
    const damaged = cause instanceof FieldsUntold ? damagedRows(connection, cause.cause) : null
    if (damaged !== null) return damaged
    if (engineCode(cause) !== undefined || cause instanceof RangeError) {
      if (isBusy(cause)) return cause
      return new MigrationError(`${tag} failed, and nothing of it was applied: ${cause.message}`, { cause })
    }
  }
  return error
}
