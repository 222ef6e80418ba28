import type { Logger } from 'drizzle-orm/logger'
import type { Collection } from '../../catalog/catalog.ts'
import { nothingAsked } from '../../catalog/changes.ts'
import { DatabaseOpenError } from '../../contract/errors.ts'
import { indexNameClash } from '../../schema/index-name.ts'
import type { DriverOptions, OpenedDriver, PlainDrizzle } from '../engine.ts'
import { ConnectionPool } from './connections/connection-pool.ts'
import { type ConnectionParts, PooledConnection } from './connections/pooled-connection.ts'
import { SqliteDriver } from './driver.ts'
import type { DrizzleDatabase, Sqlite } from './engine.types.ts'
import { type Connected, type ConnectionOptions, connect, connectAgain } from './file/connection.ts'
import { databasePath } from './file/database-path.ts'
import { removeEmptyLog } from './file/empty-log.ts'
import { isPassing, isUnanswerable, toKvError } from './file/engine-error.ts'
import { assertShape, isMarked, isSealed, markFormat } from './file/file-format.ts'
import { openError } from './file/open-error.ts'
import { retryBusy } from './file/retry-busy.ts'
import { drizzleOver } from './module/drizzle-over.ts'
import { holdWithModule } from './module/open-connection.ts'
import type { Connection, ModuleName } from './module/sqlite-module.ts'
import { passOverDamage } from './rows/damaged-rows.ts'
import { tellOfManyIndexes } from './tables/index-budget.ts'
import { hasTable } from './tables/own-tables.ts'
import { readSetUp, setUp } from './tables/set-up.ts'
import { foldedName, type KvTables, lazyTables } from './tables/table.ts'

/** Plain Drizzle over a database, with its tables. */
class SqliteDrizzle implements PlainDrizzle<Sqlite> {
  readonly engine = 'sqlite'
  readonly tables: KvTables
  readonly #connection: () => Connection
  readonly #logger: Logger | undefined
  #drizzle: DrizzleDatabase | undefined

  constructor(pool: ConnectionPool, { file, tables, sharing, options }: ConnectionParts) {
    this.tables = tables
    this.#logger = options.logger
    // Whatever the user runs on it, and leaves open, must not affect calls of the database.
    const mayTake = file !== null
    this.#connection = () => {
      sharing.hasDrizzle = true
      return (mayTake ? pool.take() : pool.top).database
    }
  }

  get drizzle(): DrizzleDatabase {
    this.#drizzle ??= drizzleOver(this.#connection(), this.#logger)
    return this.#drizzle
  }
}

interface OpenSqliteOptions extends DriverOptions, Pick<Sqlite['checked'], 'durability' | 'busyTimeout'> {
  readonly engine?: ModuleName | undefined
  /** A file; left out or `:memory:`: a database in this process's memory. */
  readonly path?: string | undefined
  /** Whether a new file keeps checksums of its values; an existing file must already keep them. */
  readonly checksums?: boolean
}

/** Opens a database with these collections, and creates what is missing. */
export async function openSqlite(
  collections: readonly Collection[],
  options: OpenSqliteOptions,
): Promise<OpenedDriver<Sqlite>> {
  const path = databasePath(options.path)
  const letGo = await holdWithModule(path, options.engine)
  try {
    return await openHeld(collections, { ...options, path }, letGo)
  } catch (error) {
    letGo()
    throw error
  }
}

/** `letGo` is called when the database is closed. */
async function openHeld(
  collections: readonly Collection[],
  options: OpenSqliteOptions & { readonly path: string },
  letGo: () => void,
): Promise<OpenedDriver<Sqlite>> {
  const { path } = options
  const tables = lazyTables(collections)
  const { migrations: folder, readOnly, asked = nothingAsked, checksums = false, asItIs = false } = options
  const clash = asItIs ? null : indexNameClash(collections, foldedName)
  if (clash !== null) throw new TypeError(clash)
  const migrate = folder === undefined ? undefined : await loadMigrations(folder)
  const QueryRunner = collections.length === 0 ? null : await loadQueryRunner()
  return retryBusy(() => {
    const { connection, file } = connect({ ...options, migrated: migrate !== undefined })
    try {
      assertShape(connection, path)
      if (!isMarked(connection) && !readOnly && !asItIs) markNew(connection, checksums)
      if (checksums && !isSealed(connection)) throw withoutChecksums(path)
      const catalog =
        migrate !== undefined
          ? migrate(connection, tables, collections, readOnly)
          : readOnly || asItIs
            ? readSetUp(connection, collections, path, asItIs)
            : passingOverDamage({ connection, file }, options, (on) => setUp(on, tables, collections, asked))
      if (!readOnly) tellOfManyIndexes(collections, catalog)
      const parts: ConnectionParts = {
        file,
        tables,
        collections,
        QueryRunner,
        catalog,
        batches: { catalogVersion: catalog.version, seenVersion: -1, turn: null },
        sharing: { hasDrizzle: false },
        options,
      }
      const pool = new ConnectionPool(
        new PooledConnection(connection, parts),
        reconnect(options, parts),
        letGo,
      )
      return { driver: new SqliteDriver(pool, parts), catalog, plain: new SqliteDrizzle(pool, parts) }
    } catch (error) {
      connection.close()
      if (readOnly) removeEmptyLog(path)
      throw isPassing(error) ? error : toKvError(openError(path, error))
    }
  }, options.busyTimeout)
}

/** Opens another connection to the file; a database in memory has only one. */
function reconnect(
  options: Pick<ConnectionOptions, 'readOnly' | 'durability' | 'engine'>,
  parts: ConnectionParts,
): () => PooledConnection {
  const { file } = parts
  if (file === null) {
    return () => {
      throw new Error('a database in memory has one connection')
    }
  }
  return () => new PooledConnection(connectAgain(file, options), parts)
}

/** Works on a connection; if damaged rows are in the way of an index, on one that skips them. */
function passingOverDamage<T>(
  { connection, file }: Connected,
  options: Pick<ConnectionOptions, 'readOnly' | 'durability' | 'engine'>,
  work: (connection: Connection) => T,
): T {
  try {
    return work(connection)
  } catch (error) {
    if (!isUnanswerable(error) || file === null) throw error
    const other = connectAgain(file, options)
    try {
      passOverDamage(other)
      return work(other)
    } finally {
      other.close()
    }
  }
}

/** Marks a file as one of this library, and fixes for good whether its values have checksums. */
function markNew(connection: Connection, checksums: boolean): void {
  connection.exec('BEGIN IMMEDIATE')
  try {
    markFormat(connection, checksums && !hasTable(connection, 'kv'))
    connection.exec('COMMIT')
  } finally {
    if (connection.inTransaction) connection.exec('ROLLBACK')
  }
}

function withoutChecksums(path: string): DatabaseOpenError {
  return new DatabaseOpenError(
    path,
    'it was created without checksums: leave out the option, or copy the rows into a new file',
  )
}

async function loadQueryRunner() {
  return (await import('./query/query-runner.ts')).QueryRunner
}

/** Sets a database up by the migrations of a folder. Loaded on demand, because most databases are opened without. */
async function loadMigrations(folder: string) {
  const [{ readMigrations }, { setUpMigrated }] = await Promise.all([
    import('../migrations-folder.ts'),
    import('./migrations/set-up-migrated.ts'),
  ])
  const migrations = readMigrations(folder, 'sqlite')
  return (connection: Connection, tables: KvTables, collections: readonly Collection[], readOnly: boolean) =>
    setUpMigrated(connection, tables, collections, migrations, readOnly)
}
