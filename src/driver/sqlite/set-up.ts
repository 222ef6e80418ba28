import type Database from 'better-sqlite3'
import { DatabaseOpenError } from '../../errors.ts'
import type { Catalog, Collection } from '../driver.ts'
import { knowsCollections, readCatalog, registerCollections } from './catalog.ts'
import { markFormat } from './connection.ts'
import { createTable } from './ddl.ts'
import { applyIndexChanges, indexChanges } from './indexes.ts'
import type { IndexedCollection, KvTables } from './table.ts'

export type DeclaredCollection = Collection & IndexedCollection

/**
 * Creates what the database lacks of its tables, collections and indexes, in one transaction, and gives the catalog. A
 * database that lacks nothing is only read. Throws SQLITE_BUSY when another connection is in the way.
 */
export function setUp(
  connection: Database.Database,
  tables: KvTables,
  collections: readonly DeclaredCollection[],
): Catalog {
  const present = completeCatalog(connection, tables, collections)
  if (present !== null) return present
  connection.exec('BEGIN IMMEDIATE')
  try {
    for (const table of Object.values(tables)) connection.exec(createTable(table))
    if (!knowsCollections(readCatalog(connection), collections)) {
      registerCollections(connection, tables, collections)
    }
    applyIndexChanges(connection, tables, collections, indexChanges(connection, tables, collections))
    markFormat(connection)
    connection.exec('COMMIT')
  } finally {
    if (connection.inTransaction) connection.exec('ROLLBACK')
  }
  return readCatalog(connection)
}

/** The catalog of a database that may not be written. */
export function readSetUp(connection: Database.Database, path: string): Catalog {
  if (!hasTables(connection)) {
    throw new DatabaseOpenError(path, 'it holds no tables of valkeyrie, and readOnly does not create them')
  }
  return readCatalog(connection)
}

/** The catalog of a database that lacks nothing; `null` for another one. */
function completeCatalog(
  connection: Database.Database,
  tables: KvTables,
  collections: readonly DeclaredCollection[],
): Catalog | null {
  if (!hasTables(connection) || connection.pragma('application_id', { simple: true }) === 0) return null
  const { drop, create } = indexChanges(connection, tables, collections)
  if (drop.length + create.length > 0) return null
  const catalog = readCatalog(connection)
  return knowsCollections(catalog, collections) ? catalog : null
}

function hasTables(connection: Database.Database): boolean {
  const names = "'kv', 'kv_log', 'kv_collections'"
  const found = connection
    .prepare(`SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN (${names})`)
    .pluck()
    .get()
  return found === 3
}
