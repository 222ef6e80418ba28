import { type Catalog, type Collection, sameIndex } from '../../../catalog/catalog.ts'
import {
  type AskedChanges,
  type CatalogChanges,
  catalogChanges,
  indexedCollections,
} from '../../../catalog/changes.ts'
import { builtSearches, searchesOf } from '../../../catalog/searches.ts'
import { takesRows } from '../../../catalog/taken-row.ts'
import { DatabaseOpenError, MigrationError } from '../../../contract/errors.ts'
import { isMarked, markFormat } from '../file/file-format.ts'
import type { Connection } from '../module/sqlite-module.ts'
import {
  fileRows,
  keepCollections,
  markMigrated,
  readCatalog,
  renameRows,
  takenRow,
  touchCatalog,
} from './catalog.ts'
import { assertBuildable, buildIndexes, builtIndexes, dropIndex, indexChanges } from './indexes.ts'
import { createOwnTables, hasOwnTables, hasTables } from './own-tables.ts'
import { buildSearch, knownSearches, missingSearches, removeSearch, searchName } from './search-indexes.ts'
import { type KvTables, tablesOf } from './table.ts'

/**
 * Creates the missing tables, collections and indexes of a database in one transaction, makes the changes that are asked for by
 * name, and returns the catalogue. Only reads if nothing is missing. Throws SQLITE_BUSY if another connection is in the way, and a
 * MigrationError if a declared schema does not fit what others have declared.
 */
export function setUp(
  connection: Connection,
  tables: KvTables,
  collections: readonly Collection[],
  asked: AskedChanges,
): Catalog {
  const present = completeCatalog(connection, collections, asked)
  if (present !== null) return present
  connection.exec('BEGIN IMMEDIATE')
  try {
    createOwnTables(connection, tables)
    changeCatalog(
      connection,
      tables,
      collections,
      catalogChanges(readCatalog(connection), collections, asked),
    )
    markFormat(connection)
    // What comes after the transaction has not been compared with what is declared.
    const catalog = readCatalog(connection)
    connection.exec('COMMIT')
    return catalog
  } finally {
    if (connection.inTransaction) connection.exec('ROLLBACK')
  }
}

/**
 * The catalogue of a database that must not be written; it must already know the declared patterns. `asItIs`: the declarations come
 * from the database itself, so a replaced schema is not refused.
 */
export function readSetUp(
  connection: Connection,
  collections: readonly Collection[],
  path: string,
  asItIs: boolean,
): Catalog {
  if (!hasTables(connection)) {
    throw new DatabaseOpenError(path, 'it holds no tables of valkeyrie, and readOnly does not create them')
  }
  const catalog = readCatalog(connection)
  const { added } = catalogChanges(asItIs ? { ...catalog, past: [] } : catalog, collections)
  if (added.length === 0) return catalog
  const { name } = added[0]!
  throw new MigrationError(`The database does not know the schema '${name}': open it once without readOnly`, {
    repository: name,
  })
}

/** Makes the changes inside the open transaction, and tells those who have the database open. */
export function changeCatalog(
  connection: Connection,
  tables: KvTables,
  declared: readonly Collection[],
  { renamed, added, kept, dropped, unsearched, takeRows }: CatalogChanges,
): void {
  for (const { name, declaration } of builtIndexes(connection)) {
    if (declaration === null) continue
    const collection = renamed.get(declaration.collection)
    // An index contains the name of its collection, so those of a renamed one are built again.
    const isDropped = ({ repository, index }: (typeof dropped)[number]) =>
      repository === declaration.collection && sameIndex(index, declaration)
    if (collection !== undefined || dropped.some(isDropped)) dropIndex(connection, name)
  }
  const goingSearches = [
    ...knownSearches(connection).filter(({ collection }) => renamed.has(collection)),
    ...unsearched.map(({ repository, search }) => ({ collection: repository, search })),
  ]
  for (const search of goingSearches) removeSearch(connection, search)
  renameRows(connection, tables, renamed)
  keepCollections(connection, tables, kept)
  const { collections } = readCatalog(connection)
  const mayTake = added.filter(({ name }) => takeRows.includes(name))
  const mayNot = added.filter((it) => !mayTake.includes(it))
  const taken = takenRow(connection, tables, collections, mayNot)
  if (taken !== null) throw takesRows(taken, collections)
  const taking = mayTake.filter((it) => takenRow(connection, tables, collections, [it]) !== null)
  fileRows(connection, collections, added)
  const indexed = indexedCollections(declared, renamed, kept)
  assertBuildable(indexed)
  const indexes = indexChanges(connection, indexed)
  buildIndexes(connection, tablesOf(indexed), indexed, indexes)
  const searches = missingSearches(connection, searchesOf(indexed))
  for (const search of searches) buildSearch(connection, search)
  const changed =
    renamed.size +
    added.length +
    dropped.length +
    indexes.create.length +
    indexes.replace.length +
    unsearched.length +
    searches.length
  const names = [
    ...[...indexed, ...kept].map(({ name }) => name),
    ...[...dropped, ...unsearched].map(({ repository }) => repository),
  ]
  if (changed === 0 || names.length === 0) return
  const version = touchCatalog(connection, tables, names)
  markMigrated(
    connection,
    taking.map(({ name }) => name),
    version,
  )
}

/** The catalogue of a database that lacks nothing; `null` if anything is missing. */
function completeCatalog(
  connection: Connection,
  collections: readonly Collection[],
  asked: AskedChanges,
): Catalog | null {
  if (!hasOwnTables(connection) || !isMarked(connection)) return null
  const built = builtIndexes(connection)
  const catalog = readCatalog(connection, built)
  const { renamed, kept, dropped, unsearched } = catalogChanges(catalog, collections, asked)
  if (renamed.size + kept.length + dropped.length + unsearched.length > 0) return null
  if (!hasSearches(catalog, collections)) return null
  const { create, replace } = indexChanges(connection, collections, built)
  return create.length + replace.length === 0 ? catalog : null
}

/** Whether all searches of these collections exist. */
function hasSearches(catalog: Catalog, collections: readonly Collection[]): boolean {
  const built = new Set(builtSearches(catalog).map(searchName))
  return searchesOf(collections).every((search) => built.has(searchName(search)))
}
