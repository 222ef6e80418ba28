import type { Catalog, Collection } from '../../../catalog/catalog.ts'
import { asCollections, changedNames, registration } from '../../migrated-collections.ts'
import type { MigratedCollection } from '../../migration.ts'
import type { Connection } from '../server/connection.ts'
import { isUniqueViolation } from '../server/server-error.ts'
import { quoteName } from '../server/sql-text.ts'
import type { RunStatement } from '../server/statement.types.ts'
import { ServerCatalog } from '../tables/catalog.ts'
import { ServerIndexes } from '../tables/indexes.ts'
import { createOwn, look } from '../tables/set-up.ts'
import { texts } from '../values/binary-array.ts'

/**
 * Stores the collections of a migration in the catalogue, inside its transaction: the next migration may change the rows filed
 * under them. `before` is the catalogue when the migration began. Throws a MigrationError if rows that a pattern now matches clash
 * in a unique index.
 */
export async function registerMigrated(
  connection: Connection,
  schema: string,
  address: string,
  collections: readonly MigratedCollection[],
  before: Catalog,
): Promise<void> {
  // The first migrations of a folder may come before these tables.
  if (collections.length === 0) return
  const run: RunStatement = (statement, values) => connection.run(statement, values)
  if (!(await look(run, schema, address))?.isComplete) await createOwn(connection, schema)
  const migrated = asCollections(collections)
  const catalog = new ServerCatalog(schema, run)
  const indexes = new ServerIndexes(schema, run)
  await connection.execute('savepoint kv_register')
  try {
    await register(run, schema, catalog, migrated)
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    // The transaction is lost anyway: without the indexes, the clashing rows can be filed and reported.
    await connection.execute('rollback to savepoint kv_register')
    const unique = (await indexes.built()).filter(({ index }) => index?.unique)
    for (const { name } of unique) await indexes.drop(name)
    await register(run, schema, catalog, migrated)
    let cause = error
    for (const { index } of unique) if (cause === error) cause = await indexes.explain(index!, error)
    throw cause
  }
  await connection.execute('release savepoint kv_register')
  await catalog.touch(
    migrated.map(({ name }) => name),
    changedNames(before, migrated),
  )
}

async function register(
  run: RunStatement,
  schema: string,
  catalog: ServerCatalog,
  migrated: readonly Collection[],
): Promise<void> {
  const { replaced, added } = registration(await catalog.read(), migrated)
  const text = `delete from ${quoteName(schema)}.kv_collections where name = any($1::text[])`
  if (replaced.length > 0) await run({ text }, [texts(replaced.map(({ name }) => name))])
  await catalog.keep(migrated)
  await catalog.file((await catalog.read()).collections, [...replaced, ...added])
}
