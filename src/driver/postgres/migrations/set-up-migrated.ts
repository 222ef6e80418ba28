import type { Collection } from '../../../catalog/catalog.ts'
import { catalogChanges } from '../../../catalog/changes.ts'
import { type SearchOf, searchesOf } from '../../../catalog/searches.ts'
import { MigrationError } from '../../../contract/errors.ts'
import type { Migration } from '../../migration.ts'
import { pendingOf } from '../../migration-history.ts'
import { ServerSearches } from '../search/searches.ts'
import { searchName } from '../search/tables.ts'
import type { Connection } from '../server/connection.ts'
import { isAlive, quoteName } from '../server/sql-text.ts'
import type { RunStatement } from '../server/statement.types.ts'
import { inTransaction } from '../server/transaction.ts'
import { ServerCatalog } from '../tables/catalog.ts'
import { type BuiltIndex, indexChanges, ServerIndexes } from '../tables/indexes.ts'
import { changeCatalog, createOwn, look, readNow, type SetUp } from '../tables/set-up.ts'
import { applyMigration, takeSchema } from './apply.ts'
import { hasTable, readHistory } from './history.ts'

/**
 * Applies the pending migrations, all in one transaction. Only reads if nothing is pending. Rejects with a MigrationError if a
 * migration has a TypeScript step for existing rows, or leads to other indexes than the declared ones.
 */
export async function setUpMigrated(
  connection: Connection,
  schema: string,
  address: string,
  collections: readonly Collection[],
  migrations: readonly Migration[],
  readOnly: boolean,
): Promise<SetUp> {
  const run: RunStatement = (statement, values) => connection.run(statement, values)
  const s = quoteName(schema)
  const catalog = new ServerCatalog(schema, run)
  const indexes = new ServerIndexes(schema, run)
  const searches = new ServerSearches(schema, run)
  const [history, found] = await Promise.all([readHistory(run, s), look(run, schema, address)])
  const pending = pendingOf(history, migrations)
  if (readOnly && pending.length > 0) {
    throw new MigrationError(
      `${pending[0]!.tag} is not applied yet, and with readOnly it cannot be: run "valkeyrie migrate"`,
    )
  }
  const isComplete = found?.isComplete ?? false
  if (readOnly || (pending.length === 0 && isComplete)) {
    const [present, unsearched] = await Promise.all([
      readNow(run, schema),
      searches.missing(searchesOf(collections)),
    ])
    const { kept } = catalogChanges(present.catalog, collections)
    if (readOnly || kept.length === 0) {
      checkIndexes(present.built, unsearched, collections)
      return present
    }
  }
  return inTransaction(connection, async () => {
    await connection.execute('set local statement_timeout = 0')
    await takeSchema(connection, schema)
    for (const migration of pendingOf(await readHistory(run, s), migrations)) {
      await refuseSteps(run, s, migration)
      await applyMigration(connection, schema, address, migrations, migration)
    }
    if (!(await hasTable(run, s, 'kv')))
      throw new MigrationError('No migration creates the tables: run "valkeyrie generate"')
    if (!(await look(run, schema, address))?.isComplete) await createOwn(connection, schema)
    checkIndexes(await indexes.built(), await searches.missing(searchesOf(collections)), collections)
    const changes = catalogChanges(await catalog.read(), collections)
    await changeCatalog(connection, schema, collections, changes)
    return readNow(run, schema)
  })
}

async function refuseSteps(run: RunStatement, s: string, { tag, snapshot }: Migration): Promise<void> {
  if (!(await hasTable(run, s, 'kv'))) return
  for (const { from, file } of snapshot.steps) {
    const text = `select from ${s}.kv where collection = $1 and ${isAlive} limit 1`
    if ((await run({ text }, [from])).length === 0) continue
    throw new MigrationError(
      `${tag} converts the rows of ${from} with ${file}, which open does not run: run "valkeyrie migrate"`,
    )
  }
}

/** Throws a MigrationError if declared indexes or searches are not there. */
function checkIndexes(
  built: readonly BuiltIndex[],
  unsearched: readonly SearchOf[],
  collections: readonly Collection[],
): void {
  const names = [...indexChanges(collections, built).create.keys(), ...unsearched.map(searchName)]
  if (names.length === 0) return
  throw new MigrationError(
    `The migrations make other indexes than the schemas declare (${names.join(', ')}): run "valkeyrie generate"`,
  )
}
