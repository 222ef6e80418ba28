import type BetterSqlite3 from 'better-sqlite3'
import { type BetterSQLite3Database, drizzle } from 'drizzle-orm/better-sqlite3'
import type { Catalog, Collection } from '../../catalog/catalog.ts'
import { type AskedChanges, nothingAsked } from '../../catalog/changes.ts'
import { databasePath } from '../../database-path.ts'
import type { Driver } from '../driver.ts'
import { type ConnectionOptions, connect, openError } from './connection.ts'
import { SqliteDriver, type SqliteDriverOptions } from './driver.ts'
import { isBusy, toKvError } from './engine-error.ts'
import { retryBusy } from './retry-busy.ts'
import { readSetUp, setUp } from './set-up.ts'
import { type KvTables, kvTables } from './table.ts'

/** Drizzle over the connection of a database; `$client` is that connection, of better-sqlite3. */
export interface DrizzleDatabase extends BetterSQLite3Database {
  readonly $client: BetterSqlite3.Database
}

/** Plain Drizzle over the connection of a database, and the tables to query. */
export interface PlainDrizzle {
  readonly drizzle: DrizzleDatabase
  readonly tables: KvTables
}

export interface SqliteOptions extends Omit<ConnectionOptions, 'path'>, Omit<SqliteDriverOptions, 'path'> {
  /** A file; left out or `:memory:`: a database in this process's memory. */
  readonly path?: string | undefined
  /** The folder of migrations that create the tables and indexes; left out, they are created in place. */
  readonly migrations?: string | undefined
  /** What the opener asks to have changed that others may need. */
  readonly asked?: AskedChanges
}

/** Opens a database with these collections, and creates what it lacks of them. */
export async function openSqlite(
  collections: readonly Collection[],
  options: SqliteOptions,
): Promise<{ driver: Driver; catalog: Catalog; plain: PlainDrizzle }> {
  const path = databasePath(options.path)
  const tables = kvTables(collections)
  const { migrations: folder, readOnly, asked = nothingAsked } = options
  const migrate = folder === undefined ? undefined : await loadMigrations(folder)
  return retryBusy(() => {
    const connection = connect({ ...options, path })
    try {
      const catalog =
        migrate !== undefined
          ? migrate(connection, tables, collections, readOnly)
          : readOnly
            ? readSetUp(connection, tables, collections, path)
            : setUp(connection, tables, collections, asked)
      return {
        driver: new SqliteDriver(connection, tables, collections, catalog, { ...options, path }),
        catalog,
        plain: {
          drizzle: drizzle(connection, options.logger === undefined ? {} : { logger: options.logger }),
          tables,
        },
      }
    } catch (error) {
      connection.close()
      throw isBusy(error) ? error : toKvError(openError(path, error))
    }
  }, options.busyTimeout)
}

/** What sets a database up by the migrations of a folder. Its code is loaded now and not before: most databases are opened without. */
async function loadMigrations(folder: string) {
  const [{ readMigrations }, { setUpMigrated }] = await Promise.all([
    import('./migrations/folder.ts'),
    import('./migrations/set-up-migrated.ts'),
  ])
  const migrations = readMigrations(folder)
  return (
    connection: BetterSqlite3.Database,
    tables: KvTables,
    collections: readonly Collection[],
    readOnly: boolean,
  ) => setUpMigrated(connection, tables, collections, migrations, readOnly)
}
