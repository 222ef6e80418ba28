import type { Catalog, Collection } from '../../../catalog/catalog.ts'
import { asCollections, changedNames, registration } from '../../migrated-collections.ts'
import type { MigratedCollection } from '../../migration.ts'
import { engineCode } from '../file/engine-error.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { fileRows, keepCollections, markMigrated, readCatalog, touchCatalog } from '../tables/catalog.ts'
import { builtIndexes, dropIndex, duplicatesError } from '../tables/indexes.ts'
import { createOwnTables } from '../tables/own-tables.ts'
import { type KvTables, kvTables } from '../tables/table.ts'

/**
 * Makes the database know the collections as a migration leaves them, inside its transaction: the next one may change the rows that
 * are filed under them. `before` is what it knew when the migration began. Throws a MigrationError if rows that a pattern matches
 * now clash in a unique index.
 */
export function registerMigrated(
  connection: Connection,
  collections: readonly MigratedCollection[],
  before: Catalog,
): void {
  // The migrations of a folder may begin with ones that know nothing of these tables.
  if (collections.length === 0) return
  const tables = kvTables(collections)
  createOwnTables(connection, tables)
  const migrated = asCollections(collections)
  connection.exec('SAVEPOINT register')
  try {
    register(connection, tables, migrated)
  } catch (error) {
    if (!isClash(error)) throw error
    // The transaction is lost: without the indexes, the rows that clash in one can be filed and told.
    connection.exec('ROLLBACK TO register')
    const unique = builtIndexes(connection).filter(({ declaration }) => declaration?.unique)
    for (const { name } of unique) dropIndex(connection, name)
    register(connection, tables, migrated)
    throw unique.reduce(
      (cause: unknown, { name }) =>
        cause === error ? duplicatesError(connection, tables, collections, name, cause) : cause,
      error,
    )
  }
  connection.exec('RELEASE register')
  const version = touchCatalog(
    connection,
    tables,
    migrated.map(({ name }) => name),
  )
  markMigrated(connection, changedNames(before, migrated), version)
}

/** A collection that has the name or the pattern of one of these goes, and its rows with it. */
function register(connection: Connection, tables: KvTables, migrated: readonly Collection[]): void {
  const { replaced, added } = registration(readCatalog(connection), migrated)
  const remove = connection.prepare('DELETE FROM kv_collections WHERE name = ?')
  for (const { name } of replaced) remove.run(name)
  keepCollections(connection, tables, migrated)
  fileRows(connection, readCatalog(connection).collections, [...replaced, ...added])
}

/** Whether rows clash in a unique index, by an error of the engine that Drizzle may have wrapped. */
function isClash(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (engineCode(cause) === 'SQLITE_CONSTRAINT_UNIQUE') return true
  }
  return false
}
