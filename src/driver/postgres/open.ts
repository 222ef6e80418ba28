import { sql } from 'drizzle-orm'
import type { Catalog, Collection } from '../../catalog/catalog.ts'
import { nothingAsked } from '../../catalog/changes.ts'
import type { DriverOptions, OpenedDriver } from '../engine.ts'
import { repeated } from './commit/pauses.ts'
import { PostgresDriver } from './driver.ts'
import type { CheckedPostgresOptions, Postgres } from './engine.types.ts'
import { QueryRunner } from './query/query-runner.ts'
import { SeenRows } from './query/seen-rows.ts'
import { catalogColumn } from './rows/kv-row.ts'
import { statementsOf } from './rows/statements.ts'
import { Connector, loadPg } from './server/connect.ts'
import type { Connection } from './server/connection.ts'
import { Connections } from './server/connections.ts'
import { openError } from './server/open-error.ts'
import { ServerClock } from './server/server-clock.ts'
import { isPassing } from './server/server-error.ts'
import { began, quoteName } from './server/sql-text.ts'
import { readSetUp, type SetUp, setUp } from './tables/set-up.ts'
import { UniqueIndexes } from './tables/unique-indexes.ts'

/** Opens a database in a schema of a server, and creates what is missing. */
export async function openPostgres(
  address: string,
  collections: readonly Collection[],
  options: DriverOptions & CheckedPostgresOptions,
): Promise<OpenedDriver<Postgres>> {
  const { schema, readOnly, migrations, asItIs = false, asked = nothingAsked } = options
  const pg = await loadPg(address)
  // Drizzle's driver needs pg, too.
  const { ServerDrizzle } = await import('./drizzle.ts')
  const connector = new Connector(pg, address, options)
  const first = await connector.first()
  try {
    const clock = new ServerClock()
    const [{ catalog, built }] = await Promise.all([
      migrations !== undefined
        ? setUpByFolder(first, address, collections, { schema, readOnly, migrations })
        : readOnly || asItIs
          ? readSetUp(first, schema, address, collections, asItIs)
          : repeated(
              () => setUp(first, schema, address, collections, asked),
              options.connectTimeout,
              isPassing,
            ),
      hear(clock, connector, first),
    ])
    const statements = statementsOf(schema)
    const connections = new Connections(first, (isWanted) => connector.again(isWanted), options)
    const s = quoteName(schema)
    const source = {
      rows: sql.raw(`${s}.kv`),
      catalog: sql.raw(catalogColumn(schema)),
      searched: { s, shown: false },
    }
    const { onUnindexed } = options
    const reads = {
      statements,
      queries: new QueryRunner(collections, { onUnindexed, source }),
      seen: new SeenRows(source, collections),
    }
    const unique = new UniqueIndexes(schema, built)
    const plain = new ServerDrizzle(pg, address, options)
    const driver = new PostgresDriver({
      address,
      schema,
      statements,
      reads,
      connections,
      connector,
      clock,
      unique,
      plain,
      declared: collections,
      catalog,
      options,
    })
    return { driver, catalog, plain }
  } catch (error) {
    first.discard()
    throw openError(address, error, readOnly || asItIs)
  }
}

/** Asks for the time of the server, and which of its processes serves the connection. */
async function hear(clock: ServerClock, connector: Connector, connection: Connection): Promise<void> {
  const sent = Date.now()
  const [row] = await connection.run({ text: `select ${began}, pg_backend_pid()` }, [])
  const [now, processId] = row as [number, number]
  clock.heard(now, sent, Date.now())
  connector.noticePooler(connection, processId)
}

/** Sets a database up by the migrations of a folder. Loaded on demand, because most databases are opened without. */
async function setUpByFolder(
  connection: Connection,
  address: string,
  collections: readonly Collection[],
  { schema, readOnly, migrations }: { schema: string; readOnly: boolean; migrations: string },
): Promise<SetUp> {
  const [{ readMigrations }, { setUpMigrated }] = await Promise.all([
    import('../migrations-folder.ts'),
    import('./migrations/set-up-migrated.ts'),
  ])
  const read = readMigrations(migrations, 'postgresql')
  return setUpMigrated(connection, schema, address, collections, read, readOnly)
}

/** The catalogue of a database. */
export async function readServerCatalog(address: string, options: CheckedPostgresOptions): Promise<Catalog> {
  const connection = await new Connector(await loadPg(address), address, options).first()
  try {
    return (await readSetUp(connection, options.schema, address, [], true)).catalog
  } catch (error) {
    throw openError(address, error, true)
  } finally {
    await connection.end()
  }
}
