import type { KnownSearch } from '../../../catalog/catalog.ts'
import { DamagedCollection } from '../../../catalog/stored-collection.ts'
import {
  type SearchDefinition,
  type SearchTokenizer,
  searchTokenizers,
} from '../../../schema/search-definition.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { createSearch, dropSearch, searchParts, searchTables } from './search-tables.ts'

/** A search of a database, and the collection that it is of. */
export interface SearchOf<Search extends SearchDefinition = SearchDefinition> {
  readonly collection: string
  readonly search: Search
}

/** What declares searches. */
interface SearchedCollection {
  readonly name: string
  readonly search?: readonly SearchDefinition[]
}

/** The searches of collections. */
export function searchesOf(collections: readonly SearchedCollection[]): SearchOf[] {
  return collections.flatMap(({ name, search = [] }) =>
    search.map((one) => ({ collection: name, search: one })),
  )
}

/** The searches that a database knows, whoever has declared them. Throws a DamagedCollection. */
export function knownSearches(connection: Connection): SearchOf<KnownSearch>[] {
  if (!hasCatalog(connection)) return []
  const rows = connection
    .prepare<[], Readonly<Record<string, unknown>>>(
      'SELECT * FROM kv_search ORDER BY collection, length(fields) DESC, name',
    )
    .all()
  return rows.map((row) => {
    const collection = String(row['collection'])
    const search = readSearch(row, collection)
    return { collection, search: { ...search, built: isBuilt(connection, collection, search) } }
  })
}

function readSearch(row: Readonly<Record<string, unknown>>, collection: string): SearchDefinition {
  try {
    const [fields, weights] = [row['fields'], row['weights']].map((text) => JSON.parse(String(text)))
    const tokenizer = row['tokenizer'] as SearchTokenizer
    const isSound =
      isArrayOf(fields, 'string') &&
      isArrayOf(weights, 'number') &&
      fields.length === weights.length &&
      searchTokenizers.includes(tokenizer)
    if (isSound) return { fields: fields as string[], weights: weights as number[], tokenizer }
  } catch (cause) {
    throw new DamagedCollection(collection, 'its search cannot be read', cause)
  }
  throw new DamagedCollection(collection, 'its search is not a search')
}

function isArrayOf(value: unknown, type: 'string' | 'number'): value is unknown[] {
  return Array.isArray(value) && value.every((item) => typeof item === type)
}

/** Whether all parts of a search are there as they should be. */
function isBuilt(connection: Connection, collection: string, search: SearchDefinition): boolean {
  const sql = connection.prepare<[string], string>('SELECT sql FROM sqlite_schema WHERE name = ?').pluck()
  return [...searchParts(collection, search)].every(([name, text]) => sql.get(name) === text)
}

/** Those of these searches whose index is not there as it should be. */
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

/** Those that the database knows of these collections, and that they do not declare. */
export function extraSearches(
  connection: Connection,
  collections: readonly SearchedCollection[],
): SearchOf[] {
  const names = new Set(collections.map(({ name }) => name))
  const declared = new Set(searchesOf(collections).map(searchName))
  return knownSearches(connection).filter((it) => names.has(it.collection) && !declared.has(searchName(it)))
}

/** What stands for a search: the name of its table. */
export function searchName({ collection, search }: SearchOf): string {
  return searchTables(collection, search).index
}

/** Whether a table is the catalogue of the searches, or a part of one of these. */
export function isOfSearch(table: string, searches: readonly SearchOf[]): boolean {
  return (
    table === 'kv_search' ||
    searches.map(searchName).some((name) => table === name || table.startsWith(`${name}_`))
  )
}

/** Rebuilds a search, inside the transaction that is open. */
export function buildSearch(connection: Connection, of: SearchOf): void {
  removeSearch(connection, of)
  for (const statement of createSearch(of.collection, of.search)) connection.exec(statement)
}

export function removeSearch(connection: Connection, { collection, search }: SearchOf): void {
  for (const statement of dropSearch(collection, search)) connection.exec(statement)
}

/** Keeps how much the fields of the searches of a collection count, where their indexes are there. */
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
