import type { ToldChanges } from '../catalog/stored-change.ts'
import type { MigratedCollection } from '../driver/migration.ts'
import { type SearchDefinition, sameSearch } from '../schema/search-definition.ts'

/** How a migration changes the searches of collections. */
export interface SearchChanges {
  /** Done before the rows change. */
  readonly drop: readonly ToldChanges[]
  /** Done after the rows have changed. */
  readonly build: readonly ToldChanges[]
}

/** How the searches of two snapshots differ: one with another name, other fields, weights or words is rebuilt. */
export function searchChanges(
  last: readonly MigratedCollection[],
  next: readonly MigratedCollection[],
): SearchChanges {
  const [before, after] = [last, next].map(searchesOf) as [Searched[], Searched[]]
  return {
    drop: before
      .filter((it) => !after.some((other) => isSame(it, other)))
      .map(({ collection, search }) => ({
        told: `${collection}: the ${searchText(search)} goes`,
        changes: [{ type: 'dropSearch', collection, search }],
      })),
    build: after
      .filter((it) => !before.some((other) => isSame(it, other)))
      .map(({ collection, search }) => ({
        told: `${collection}: the ${searchText(search)} is built`,
        changes: [{ type: 'buildSearch', collection, search }],
      })),
  }
}

/** The name of a search in a sentence. */
function searchText({ fields, tokenizer }: SearchDefinition): string {
  return `search on ${fields.join(', ')} by ${tokenizer}`
}

interface Searched {
  readonly collection: string
  readonly search: SearchDefinition
}

function searchesOf(collections: readonly MigratedCollection[]): Searched[] {
  return collections.flatMap(({ name, search = [] }) =>
    search.map((one) => ({ collection: name, search: one })),
  )
}

function isSame(a: Searched, b: Searched): boolean {
  return (
    a.collection === b.collection &&
    sameSearch(a.search, b.search) &&
    a.search.weights.join() === b.search.weights.join()
  )
}
