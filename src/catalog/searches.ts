import { type SearchDefinition, type SearchTokenizer, searchTokenizers } from '../schema/search-definition.ts'
import type { Catalog, KnownSearch } from './catalog.ts'
import { DamagedCollection } from './stored-collection.ts'

/** A search of a database, and the collection that it is of. */
export interface SearchOf<Search extends SearchDefinition = SearchDefinition> {
  readonly collection: string
  readonly search: Search
}

/** What declares searches. */
export interface SearchedCollection {
  readonly name: string
  readonly search?: readonly SearchDefinition[]
}

/** The searches of collections. */
export function searchesOf(collections: readonly SearchedCollection[]): SearchOf[] {
  return collections.flatMap(({ name, search = [] }) =>
    search.map((one) => ({ collection: name, search: one })),
  )
}

/** The searches of a database that are there. */
export function builtSearches({ collections }: Catalog): SearchOf<KnownSearch>[] {
  return collections.flatMap(({ name, search = [] }) =>
    search.filter(({ built }) => built).map((one) => ({ collection: name, search: one })),
  )
}

/** A catalogue with the searches of its collections. */
export function withSearches(catalog: Catalog, searches: readonly SearchOf<KnownSearch>[]): Catalog {
  if (searches.length === 0) return catalog
  const collections = catalog.collections.map((it) => {
    const search = searches.filter(({ collection }) => collection === it.name).map(({ search }) => search)
    return search.length === 0 ? it : { ...it, search }
  })
  return { ...catalog, collections }
}

/** A row of the catalogue of searches, as it was read. */
export interface StoredSearch {
  readonly collection: string
  readonly fields: unknown
  readonly weights: unknown
  readonly tokenizer: unknown
}

/** The search that a row of their catalogue describes. Throws a DamagedCollection. */
export function readSearch({ collection, ...stored }: StoredSearch): SearchDefinition {
  try {
    const [fields, weights] = [stored.fields, stored.weights].map((text) => JSON.parse(String(text)))
    const tokenizer = stored.tokenizer as SearchTokenizer
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
