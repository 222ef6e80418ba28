import type { Catalog, Collection } from '../../../catalog/catalog.ts'
import { asCollections, changedNames, registration } from '../../migrated-collections.ts'
import type { MigratedCollection } from '../../migration.ts'
import { engineCode } from '../file/engine-error.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { fileRows, keepCollections, markMigrated, readCatalog, touchCatalog } from '../tables/catalog.ts'
import { builtIndexes, dropIndex, duplicatesError } from '../tables/indexes.ts'
import { createOwnTables } from '../tables/own-tables.ts'
import { type KvTables, tablesOf } from '../tables/table.ts'

/**
 * Stores the collections of a migration in the catalogue, inside its transaction: the next migration may change the rows filed
 * under them. `before` is the catalogue when the migration began. Throws a MigrationError if rows that a pattern now matches clash
 * in a unique index.
 */
export function registerMigrated(
  connection: Connection,
  collections: readonly MigratedCollection[],
  before: Catalog,
): void {
  // The first migrations of a folder may come before these tables.
  if (collections.length === 0) return
  const tables = tablesOf(collections)
  createOwnTables(connection, tables)
  const migrated = asCollections(collections)
  connection.exec('SAVEPOINT register')
  try {
    register(connection, tables, migrated)
  } catch (error) {
    if (!isClash(error)) throw error
    // The transaction is lost anyway: without the indexes, the clashing rows can be filed and reported.
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

/** Removes collections with the name or pattern of one of these, and their rows. */
function register(connection: Connection, tables: KvTables, migrated: readonly Collection[]): void {
  const { replaced, added } = registration(readCatalog(connection), migrated)
  const remove = connection.prepare('DELETE FROM kv_collections WHERE name = ?')
  for (const { name } of replaced) remove.run(name)
  keepCollections(connection, tables, migrated)
  fileRows(connection, readCatalog(connection).collections, [...replaced, ...added])
}

/** Whether rows clash in a unique index, according to an error of the engine that Drizzle may have wrapped. */
function isClash(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (engineCode(cause) === 'SQLITE_CONSTRAINT_UNIQUE') return true
  }
  return false
}
