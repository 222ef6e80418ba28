import { StorageError } from '../../../contract/errors.ts'
import type { Migration } from '../../migration.ts'
import { sqlState } from '../server/server-error.ts'
import { quoteName } from '../server/sql-text.ts'
import type { RunStatement } from '../server/statement.types.ts'
import { ServerCatalog } from '../tables/catalog.ts'
import { ServerIndexes } from '../tables/indexes.ts'
import { createIndex } from '../tables/typed-index.ts'
import { hasTable } from './history.ts'
import { type CreatedIndex, indexOf } from './index-statement.ts'
import type { MigrationSession } from './migration-session.ts'

/** Statements that change no rows, apart from indexes. */
const leavesRows =
  /^(?:(?:--.*\n)*)(?:DROP INDEX |SELECT kv_remove_expired_1\(\)|\w+ (?:INTO |FROM )?kv_collections |SELECT kv_renew_catalog_1\(\))/

/**
 * Builds the indexes of a migration before it is applied, while others read and write: `CREATE INDEX CONCURRENTLY` cannot run in a
 * transaction. If the migration also changes rows, its indexes are built with it, because nobody can write meanwhile anyway. After
 * a kill, the next run builds a half-built index again. Throws a MigrationError that names the rows that are in the way.
 */
export async function buildAhead(session: MigrationSession, migration: Migration): Promise<void> {
  const indexes = wantedAhead(migration)
  const { run, s, schema } = session
  if (indexes.length === 0 || !(await hasTable(run, s, 'kv_meta'))) return
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

/** The indexes of a migration that changes no rows. */
function wantedAhead(migration: Migration): CreatedIndex[] {
  if (migration.snapshot.steps.length > 0) return []
  const found: CreatedIndex[] = []
  for (const text of migration.drizzle.sql) {
    const statement = text.trim()
    const index = indexOf(statement, migration)
    if (index !== null) found.push(index)
    else if (!leavesRows.test(statement)) return []
  }
  return found
}
