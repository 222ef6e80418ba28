import type { KnownSearch } from '../../../catalog/catalog.ts'
import {
  readSearch,
  type SearchedCollection,
  type SearchOf,
  type StoredSearch,
  searchesOf,
} from '../../../catalog/searches.ts'
import type { SearchDefinition } from '../../../schema/search-definition.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { createSearch, dropSearch, searchParts, searchTables } from './search-tables.ts'

/** The searches in the catalogue, whoever has declared them. Throws a DamagedCollection. */
export function knownSearches(connection: Connection): SearchOf<KnownSearch>[] {
  if (!hasCatalog(connection)) return []
  const rows = connection
    .prepare<[], StoredSearch>('SELECT * FROM kv_search ORDER BY collection, length(fields) DESC, name')
    .all()
  return rows.map((row) => {
    const collection = String(row.collection)
    const search = readSearch({ ...row, collection })
    return { collection, search: { ...search, built: isBuilt(connection, collection, search) } }
  })
}

/** Whether all parts of a search exist as they should. */
function isBuilt(connection: Connection, collection: string, search: SearchDefinition): boolean {
  const sql = connection.prepare<[string], string>('SELECT sql FROM sqlite_schema WHERE name = ?').pluck()
  return [...searchParts(collection, search)].every(([name, text]) => sql.get(name) === text)
}

/** Those of these searches whose index is missing or differs. */
export function missingSearches(
  connection: Connection,
  searches: readonly SearchOf[],
  known: readonly SearchOf<KnownSearch>[] = searches.length === 0 ? [] : knownSearches(connection),
): SearchOf[] {
  return searches.filter(
    ({ collection, search }) =>
      !known.some((it) => it.search.built && searchName(it) === searchName({ collection, search })),
  )
}

/** The known searches of these collections that they do not declare. */
export function extraSearches(
  connection: Connection,
  collections: readonly SearchedCollection[],
): SearchOf[] {
  const names = new Set(collections.map(({ name }) => name))
  const declared = new Set(searchesOf(collections).map(searchName))
  return knownSearches(connection).filter((it) => names.has(it.collection) && !declared.has(searchName(it)))
}

/** The name of a search: that of its table. */
export function searchName({ collection, search }: SearchOf): string {
  return searchTables(collection, search).index
}

/** Whether a table is the catalogue of searches, or a part of one of these. */
export function isOfSearch(table: string, searches: readonly SearchOf[]): boolean {
  return (
    table === 'kv_search' ||
    searches.map(searchName).some((name) => table === name || table.startsWith(`${name}_`))
  )
}

/** Rebuilds a search, inside the open transaction. */
export function buildSearch(connection: Connection, of: SearchOf): void {
  removeSearch(connection, of)
  for (const statement of createSearch(of.collection, of.search)) connection.exec(statement)
}

export function removeSearch(connection: Connection, { collection, search }: SearchOf): void {
  for (const statement of dropSearch(collection, search)) connection.exec(statement)
}

/** Stores the weights of the fields in the searches of a collection, if their indexes exist. */
export function keepWeights(connection: Connection, { name, search = [] }: SearchedCollection): void {
  if (search.length === 0 || !hasCatalog(connection)) return
  const keep = connection.prepare<[string, string]>('UPDATE kv_search SET weights = ? WHERE name = ?')
  for (const one of search)
    keep.run(JSON.stringify(one.weights), searchName({ collection: name, search: one }))
}

function hasCatalog(connection: Connection): boolean {
  const table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'kv_search'"
  return connection.prepare<[], 1>(table).get() !== undefined
}
