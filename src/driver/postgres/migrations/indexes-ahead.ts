import type { SearchOf } from '../../../catalog/searches.ts'
import { StorageError } from '../../../contract/errors.ts'
import type { Migration } from '../../migration.ts'
import { buildSearchAhead, ServerSearches } from '../search/searches.ts'
import { sqlState } from '../server/server-error.ts'
import { quoteName } from '../server/sql-text.ts'
import type { RunStatement } from '../server/statement.types.ts'
import { ServerCatalog } from '../tables/catalog.ts'
import { ServerIndexes } from '../tables/indexes.ts'
import { createIndex } from '../tables/typed-index.ts'
import { withoutComments } from './apply.ts'
import { hasTable } from './history.ts'
import { type CreatedIndex, indexOf } from './index-statement.ts'
import type { MigrationSession } from './migration-session.ts'
import { declaredSearch, readSearchStatement } from './search-statement.ts'

/** Statements that change no rows, apart from indexes. */
const leavesRows =
  /^(?:(?:--.*\n)*)(?:DROP INDEX |SELECT kv_remove_expired_1\(\)|\w+ (?:INTO |FROM )?kv_collections |SELECT kv_renew_catalog_1\(\))/

/**
 * Builds the indexes and searches of a migration before it is applied, while others read and write: `CREATE INDEX CONCURRENTLY` cannot run in a
 * transaction. If the migration also changes rows, its indexes are built with it, because nobody can write meanwhile anyway. After
 * a kill, the next run builds a half-built index again. Throws a MigrationError that names the rows that are in the way.
 */
export async function buildAhead(session: MigrationSession, migration: Migration): Promise<void> {
  const { indexes, searches } = wantedAhead(migration)
  const { run, s, schema } = session
  if (indexes.length + searches.length === 0 || !(await hasTable(run, s, 'kv_meta'))) return
  const known = new ServerSearches(schema, run)
  for (const search of await known.unknown(searches)) {
    if (await known.isAhead(search)) continue
    await session.alone((connection) => buildSearchAhead(connection, schema, search))
  }
  const catalog = new ServerCatalog(schema, run)
  const all = new ServerIndexes(schema, run)
  if (indexes.some(({ unique }) => unique)) await catalog.removeExpired()
  for (const index of indexes) {
    const drop = `drop index concurrently if exists ${s}.${quoteName(index.name)}`
    try {
      // After the server was lost, a half-built index is in the way.
      await session.alone(async (connection) => {
        const run: RunStatement = (statement, values) => connection.run(statement, values)
        const there = (await new ServerIndexes(schema, run).built()).find(({ name }) => name === index.name)
        // A different index with this name: the migration drops it, or fails.
        if (there !== undefined && there.index !== null) return
        if (there !== undefined) await connection.execute(drop)
        await connection.execute(createIndex(index.name, index, `${s}.kv`, 'CONCURRENTLY '))
      })
    } catch (error) {
      const answered = error instanceof StorageError ? error.cause : undefined
      if (sqlState(answered) === undefined) throw error
      const reason = await all.explain(index, answered)
      await session.alone((connection) => connection.execute(drop))
      throw reason === answered ? error : reason
    }
  }
}

/** What a migration builds that changes no rows. */
interface Ahead {
  readonly indexes: readonly CreatedIndex[]
  readonly searches: readonly SearchOf[]
}

const nothing: Ahead = { indexes: [], searches: [] }

function wantedAhead(migration: Migration): Ahead {
  if (migration.snapshot.steps.length > 0) return nothing
  const indexes: CreatedIndex[] = []
  const searches: SearchOf[] = []
  for (const text of migration.drizzle.sql) {
    const index = indexOf(text.trim(), migration)
    const search = readSearchStatement(withoutComments(text))
    if (index !== null) indexes.push(index)
    else if (search?.does === 'build') searches.push(declaredSearch(search.name, migration))
    else if (search === null && !leavesRows.test(text.trim())) return nothing
  }
  return { indexes, searches }
}
