import type { SearchOf } from '../../../catalog/searches.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { builtIndexes, dropIndex, isServing } from '../tables/indexes.ts'
import { removeSearch } from '../tables/search-indexes.ts'
import { quoted, searchTables } from '../tables/search-tables.ts'
import { foldedName } from '../tables/table.ts'
import type { WaitingIndexes } from './waiting-indexes.ts'

const created = /^CREATE (?:UNIQUE )?INDEX (?:IF NOT EXISTS )?(?:"((?:[^"]|"")+)"|`([^`]+)`) ON ["`]kv["`] /i
const dropped = /^DROP INDEX (?:IF EXISTS )?(?:"((?:[^"]|"")+)"|`([^`]+)`);?$/i

/**
 * Whether a statement of a migration has nothing to do: the release of the migration may have been opened before it, and have built or
 * dropped an index itself. What is there otherwise than the migration makes it is taken out of the way. Throws a MigrationError if
 * another declaration uses the name of an index. `searches`: those that the migration leaves.
 */
export function isDoneAhead(
  connection: Connection,
  statement: string,
  searches: readonly SearchOf[],
  waiting: WaitingIndexes,
): boolean {
  const gone = nameIn(dropped, statement)
  if (gone !== undefined) {
    waiting.forget(gone)
    // Of another table, a missing one is a mistake.
    return foldedName(gone).startsWith('kv_') && !hasIndex(connection, gone)
  }
  const name = nameIn(created, statement)
  if (name !== undefined) {
    waiting.forget(name)
    const there = builtIndexes(connection).find((it) => foldedName(it.name) === foldedName(name))
    if (there === undefined) return false
    if (isServing(there, name, statement)) return true
    dropIndex(connection, there.name)
    return false
  }
  // The table of its texts comes first.
  const search = searches.find((it) =>
    statement.startsWith(`CREATE TABLE ${quoted(searchTables(it.collection, it.search).text)} `),
  )
  if (search !== undefined) removeSearch(connection, search)
  return false
}

function nameIn(pattern: RegExp, statement: string): string | undefined {
  const [, doubled, plain] = pattern.exec(statement) ?? []
  return doubled?.replaceAll('""', '"') ?? plain
}

function hasIndex(connection: Connection, name: string): boolean {
  const names = connection.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'index'").pluck()
  return names.all().some((it) => foldedName(it) === foldedName(name))
}
