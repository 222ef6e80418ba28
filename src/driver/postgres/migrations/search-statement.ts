import { type SearchOf, searchesOf } from '../../../catalog/searches.ts'
import type { StoredChange } from '../../../catalog/stored-change.ts'
import { MigrationError } from '../../../contract/errors.ts'
import type { Migration } from '../../migration.ts'
import { buildSearch, registerSearch, removeSearch, ServerSearches } from '../search/searches.ts'
import { searchName } from '../search/tables.ts'
import type { Connection } from '../server/connection.ts'

/**
 * What a statement of a migration does with a search, by its name. A release makes the tables and triggers of a search as it knows how to: the
 * file says which.
 */
export interface SearchStatement {
  readonly does: 'build' | 'drop'
  readonly name: string
}

const written = /^SELECT kv_(build|drop)_search_1\('([^']+)'\)$/

/** The statement that builds a search, or takes it away. */
export function searchStatement(change: Extract<StoredChange, { readonly search: unknown }>): string {
  const does = change.type === 'buildSearch' ? 'build' : 'drop'
  // Names of repositories are identifiers: no sign of a name ends it.
  return `SELECT kv_${does}_search_1('${searchName(change)}')`
}

/** What a statement does with a search; `null`: nothing. */
export function readSearchStatement(statement: string): SearchStatement | null {
  const [, does, name] = written.exec(statement.replace(/;$/, '')) ?? []
  return name === undefined ? null : { does: does as SearchStatement['does'], name }
}

/** Does what a statement says, inside the transaction that is open. */
export async function runSearchStatement(
  connection: Connection,
  schema: string,
  { does, name }: SearchStatement,
  migration: Migration,
): Promise<void> {
  if (does === 'drop') return removeSearch(connection, schema, name)
  const search = declaredSearch(name, migration)
  const searches = new ServerSearches(schema, (it, values) => connection.run(it, values))
  if (await searches.isAhead(search)) return registerSearch(connection, schema, search)
  await buildSearch(connection, schema, search)
}

/** The search of this name that a migration leaves. */
export function declaredSearch(name: string, { tag, snapshot }: Migration): SearchOf {
  const search = searchesOf(snapshot.collections).find((it) => searchName(it) === name)
  if (search !== undefined) return search
  throw new MigrationError(`${tag} builds the search ${name}, which no schema of its snapshot declares`)
}
