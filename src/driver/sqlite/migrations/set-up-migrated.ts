import type { Catalog, Collection } from '../../../catalog/catalog.ts'
import { catalogChanges } from '../../../catalog/changes.ts'
import { searchesOf } from '../../../catalog/searches.ts'
import { MigrationError } from '../../../contract/errors.ts'
import type { Migration } from '../../migration.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { readCatalog } from '../tables/catalog.ts'
import { indexChanges } from '../tables/indexes.ts'
import { createOwnTables, hasOwnTables, hasTable } from '../tables/own-tables.ts'
import { missingSearches, searchName } from '../tables/search-indexes.ts'
import { changeCatalog } from '../tables/set-up.ts'
import type { KvTables } from '../tables/table.ts'
import { pendingMigrations } from './applied.ts'
import { applyMigration } from './apply.ts'

/**
 * Applies the pending migrations, all in one transaction, and returns the catalogue. Only reads if nothing is pending. Throws
 * SQLITE_BUSY if another connection is in the way, and a MigrationError if a migration has a TypeScript step for existing rows, or
 * leads to other indexes than the declared ones.
 */
export function setUpMigrated(
  connection: Connection,
  tables: KvTables,
  collections: readonly Collection[],
  migrations: readonly Migration[],
  readOnly: boolean,
): Catalog {
  const pending = pendingMigrations(connection, migrations)
  if (readOnly && pending.length > 0) {
    throw new MigrationError(
      `${pending[0]!.tag} is not applied yet, and with readOnly it cannot be: run "valkeyrie migrate"`,
    )
  }
  const known = pending.length === 0 ? knownCatalog(connection, collections, readOnly) : null
  if (known !== null) {
    checkIndexes(connection, collections)
    return known
  }
  connection.exec('BEGIN IMMEDIATE')
  try {
    for (const migration of pendingMigrations(connection, migrations)) {
      refuseSteps(connection, migration)
      applyMigration(connection, migrations, migration)
    }
    if (!hasTable(connection, 'kv'))
      throw new MigrationError('No migration creates the tables: run "valkeyrie generate"')
    createOwnTables(connection, tables)
    checkIndexes(connection, collections)
    changeCatalog(connection, tables, collections, catalogChanges(readCatalog(connection), collections))
    const catalog = readCatalog(connection)
    connection.exec('COMMIT')
    return catalog
  } finally {
    if (connection.inTransaction) connection.exec('ROLLBACK')
  }
}

/** The catalogue of a database that is not to be written, or needs not be; `null` for another one. */
function knownCatalog(
  connection: Connection,
  collections: readonly Collection[],
  readOnly: boolean,
): Catalog | null {
  if (!readOnly && !hasOwnTables(connection)) return null
  const catalog = readCatalog(connection)
  const { kept } = catalogChanges(catalog, collections)
  return readOnly || kept.length === 0 ? catalog : null
}

function refuseSteps(connection: Connection, { tag, snapshot }: Migration): void {
  if (!hasTable(connection, 'kv')) return
  for (const { from, file } of snapshot.steps) {
    const row = connection
      .prepare('SELECT 1 FROM kv WHERE collection = ? AND (expires_at IS NULL OR expires_at > ?) LIMIT 1')
      .get(from, Date.now())
    if (row === undefined) continue
    throw new MigrationError(
      `${tag} converts the rows of ${from} with ${file}, which open does not run: run "valkeyrie migrate"`,
    )
  }
}

function checkIndexes(connection: Connection, collections: readonly Collection[]): void {
  const { create, replace } = indexChanges(connection, collections)
  const searches = missingSearches(connection, searchesOf(collections)).map(searchName)
  const names = [...create, ...replace, ...searches]
  if (names.length === 0) return
  throw new MigrationError(
    `The migrations make other indexes than the schemas declare (${names.join(', ')}): run "valkeyrie generate"`,
  )
}
