import type { Catalog } from '../../../catalog/catalog.ts'
import { KvError, MigrationError } from '../../../contract/errors.ts'
import type { Migration } from '../../migration.ts'
import { pastSchemas } from '../../past-schemas.ts'
import type { Connection } from '../server/connection.ts'
import { ConnectionLost, isBusy, isPassing, sqlState } from '../server/server-error.ts'
import { quoteName, quoteText } from '../server/sql-text.ts'
import type { RunStatement } from '../server/statement.types.ts'
import { ServerCatalog } from '../tables/catalog.ts'
import { channelOf, createSchema } from '../tables/ddl.ts'
import { ServerIndexes } from '../tables/indexes.ts'
import { keepPastSchemas } from '../tables/past-schemas.ts'
import { createOwn, look } from '../tables/set-up.ts'
import { hasTable, markApplied } from './history.ts'
import { indexOf, isServing } from './index-statement.ts'
import { createFunctions, dropFunctions } from './migration-functions.ts'
import { registerMigrated } from './register.ts'
import { readSearchStatement, runSearchStatement } from './search-statement.ts'
import type { ServerStagedRows } from './staged-rows.ts'
import { createStaging, dropStaging } from './staging-sql.ts'
import { explainFailure } from './statement-failure.ts'
import { WaitingIndexes } from './waiting-indexes.ts'

/**
 * Makes everyone wait who changes the tables of a schema or commits to it, until the open transaction ends. In that transaction,
 * names are first looked up in this schema.
 */
export async function takeSchema(connection: Connection, schema: string): Promise<void> {
  const s = quoteName(schema)
  await connection.run({ text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))' }, [
    `valkeyrie:${schema}`,
  ])
  await connection.execute(createSchema(schema))
  // The previous path comes after it: drizzle-kit puts types into public.
  const path = `concat_ws(', ', $1::text, nullif(current_setting('search_path'), ''))`
  await connection.run({ text: `select set_config('search_path', ${path}, true)` }, [s])
  if (await hasTable((statement, values) => connection.run(statement, values), s, 'kv_meta'))
    await connection.execute(`select from ${s}.kv_meta where one for update`)
}

/**
 * Applies one of these migrations, inside the open transaction, which has locked the schema, after the results of its steps. Throws a
 * MigrationError that lists the keys of rows that are in the way.
 */
export async function applyMigration(
  connection: Connection,
  schema: string,
  address: string,
  migrations: readonly Migration[],
  migration: Migration,
  staged: readonly ServerStagedRows[] = [],
): Promise<void> {
  const { collections, steps } = migration.snapshot
  const s = quoteName(schema)
  const run: RunStatement = (statement, values) => connection.run(statement, values)
  const isNew = !(await hasTable(run, s, 'kv_collections'))
  const before: Catalog = isNew
    ? { version: 0, collections: [], past: [] }
    : await new ServerCatalog(schema, run).read()
  // The migration of a step removes its results, even if there were no rows.
  if (steps.length > 0) await connection.execute(createStaging(s))
  if (!isNew && (await look(run, schema, address))?.isComplete === false) await createOwn(connection, schema)
  await connection.execute(createFunctions)
  const waiting = new WaitingIndexes(connection, schema)
  try {
    for (const rows of staged) await waiting.run(() => rows.write())
    for (const text of migration.drizzle.sql) await runStatement(connection, schema, migration, waiting, text)
    await waiting.restore()
    await markApplied(run, s, migration)
    await connection.execute(`${dropStaging(s)}; ${dropFunctions}`)
    await registerMigrated(connection, schema, address, collections, before)
    await keepPastSchemas(run, s, pastSchemas(migrations, migration, before))
    if (await hasTable(run, s, 'kv_meta'))
      await connection.execute(
        `select pg_notify(${quoteText(channelOf(schema))}, version::text) from ${s}.kv_meta`,
      )
  } catch (error) {
    throw reasonOf(error, migration)
  }
}

async function runStatement(
  connection: Connection,
  schema: string,
  migration: Migration,
  waiting: WaitingIndexes,
  text: string,
): Promise<void> {
  const plain = withoutComments(text)
  // drizzle-kit begins a migration to be written by hand with a comment.
  if (plain === '') return
  waiting.forgetIn(plain)
  const statement = inSchema(plain, schema)
  const search = readSearchStatement(statement)
  if (search !== null) return runSearchStatement(connection, schema, search, migration)
  const indexes = new ServerIndexes(schema, (it, values) => connection.run(it, values))
  const index = indexOf(statement, migration)
  if (index !== null) {
    const there = (await indexes.built()).find(({ name }) => name === index.name)
    if (there !== undefined && isServing(there, index)) return
    // Its building was interrupted.
    if (there?.index === null) await indexes.drop(index.name)
  }
  try {
    await waiting.run(() => connection.execute(statement))
  } catch (error) {
    if (sqlState(error) === undefined) throw error
    throw await explainFailure(connection, indexes, index, statement, error)
  }
}

/** An index with this name in another schema is a different one. */
function inSchema(statement: string, schema: string): string {
  return statement.replace(
    /^DROP INDEX (IF EXISTS )?(?="(?:[^"]|"")+";?$)/,
    `$&${quoteName(schema).replaceAll('$', '$$$$')}.`,
  )
}

export function withoutComments(text: string): string {
  return text.replace(/^(\s*--.*(\n|$)|\s+)+/, '').trimEnd()
}

function reasonOf(error: unknown, { tag }: Migration): unknown {
  if (error instanceof KvError || error instanceof ConnectionLost || isBusy(error) || isPassing(error))
    return error
  if (sqlState(error) === undefined) return error
  return new MigrationError(`${tag} failed, and nothing of it was applied: ${(error as Error).message}`, {
    cause: error,
  })
}
