import type Database from 'better-sqlite3'
import { knowsCollections, readCatalog, registerCollections } from '../catalog.ts'
import { engineCode } from '../engine-error.ts'
import { duplicatesError } from '../indexes.ts'
import { parsePatternText } from '../pattern-text.ts'
import { kvTables } from '../table.ts'
import type { MigratedCollection } from './folder.ts'

/**
 * Makes the database know the collections as a migration leaves them, inside its transaction: the next one may change the rows that
 * are filed under them. Throws a MigrationError where rows that a pattern matches now clash in a unique index.
 */
export function registerMigrated(
  connection: Database.Database,
  collections: readonly MigratedCollection[],
): void {
  // The migrations of a folder may begin with ones that know nothing of these tables.
  if (collections.length === 0) return
  const tables = kvTables(collections)
  const known = collections.map(({ name, pattern, schema }) => ({
    name,
    pattern: parsePatternText(pattern),
    schema,
  }))
  if (knowsCollections(readCatalog(connection), known)) return
  connection.exec('SAVEPOINT register')
  try {
    registerCollections(connection, tables, known)
  } catch (error) {
    const index = clashingIndex(error)
    if (index === undefined) throw error
    // The transaction is lost: without the index, the rows that clash in it can be filed and told.
    connection.exec('ROLLBACK TO register')
    connection.exec(`DROP INDEX "${index}"`)
    registerCollections(connection, tables, known)
    throw duplicatesError(connection, tables, collections, index, error)
  }
  connection.exec('RELEASE register')
}

/** The unique index that an error of the engine names, which Drizzle may have wrapped. */
function clashingIndex(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (engineCode(cause) === 'SQLITE_CONSTRAINT_UNIQUE') return /index '(.+)'/.exec(cause.message)?.[1]
  }
  return undefined
}
