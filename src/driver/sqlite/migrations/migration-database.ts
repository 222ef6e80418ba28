// A file under migration implements the whole port MigrationDatabase, on one connection of its own.

import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Collection } from '../../../catalog/catalog.ts'
import { searchesOf } from '../../../catalog/searches.ts'
import { MigrationError } from '../../../contract/errors.ts'
import type { MigratedCollection, Migration, MigrationLoss } from '../../migration.ts'
import {
  convertAtOnce,
  type DeclaredTable,
  type Drift,
  driftOf,
  type FailedRow,
  type MigrationBackupOptions,
  type MigrationDatabase,
  type MigrationStanding,
  mostRowsAtOnce,
  type OldRow,
  type StagedRows,
  type Step,
} from '../../migration-database.ts'
import { historyStanding } from '../../migration-history.ts'
import { takenPastSchemas } from '../../past-schemas.ts'
import { backUp } from '../backup/backup.ts'
import { freeName } from '../backup/free-name.ts'
import { connect } from '../file/connection.ts'
import { databasePath } from '../file/database-path.ts'
import { removeEmptyLog } from '../file/empty-log.ts'
import { assertShape, markFormat } from '../file/file-format.ts'
import { retryBusy } from '../file/retry-busy.ts'
import { withModule } from '../module/open-connection.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { readCatalog } from '../tables/catalog.ts'
import { buildIndexes, dropIndex, indexChanges } from '../tables/indexes.ts'
import { createOwnTables, hasTable } from '../tables/own-tables.ts'
import { keepPastSchemas } from '../tables/past-schemas.ts'
import {
  buildSearch,
  extraSearches,
  missingSearches,
  removeSearch,
  searchName,
} from '../tables/search-indexes.ts'
import { kvTables, tablesOf } from '../tables/table.ts'
import { isApplied, markApplied, pendingMigrations, readHistory } from './applied.ts'
import { applyMigration } from './apply.ts'
import { registerMigrated } from './register.ts'
import { SqliteStagedRows } from './staged-rows.ts'
import { dropStaging, isAlive, StagingTable, stagingTable } from './staging-table.ts'
import { tableDrift } from './table-drift.ts'
import { isWritable, jsonPath } from './value-sql.ts'

/** Others have just applied the migration that the backup was to precede. */
class AppliedMeanwhile extends Error {}

/** A file, as the commands use it. */
export class SqliteMigrationDatabase implements MigrationDatabase {
  readonly address: string
  readonly file: string
  readonly #readOnly: boolean
  readonly #connection: Connection
  readonly #busyTimeout: number

  private constructor(path: string, readOnly: boolean, connection: Connection, busyTimeout: number) {
    this.address = path
    this.file = path
    this.#readOnly = readOnly
    this.#connection = connection
    this.#busyTimeout = busyTimeout
  }

  static async open(path: string, readOnly = false, busyTimeout = 30_000): Promise<SqliteMigrationDatabase> {
    const absolute = databasePath(path)
    const options = { path: absolute, readOnly, durability: 'full', migrated: true } as const
    const { connection } = await withModule(absolute, () => retryBusy(() => connect(options), busyTimeout))
    try {
      assertShape(connection, absolute)
    } catch (error) {
      connection.close()
      throw error
    }
    return new SqliteMigrationDatabase(absolute, readOnly, connection, busyTimeout)
  }

  pending(migrations: readonly Migration[]): Promise<readonly Migration[]> {
    return this.#run(() => pendingMigrations(this.#connection, migrations))
  }

  standing(
    migrations: readonly Migration[],
    declared: readonly MigratedCollection[],
    others: readonly DeclaredTable[],
  ): Promise<MigrationStanding> {
    return this.#read(() => {
      const { edited, ...standing } = historyStanding(readHistory(this.#connection), migrations)
      const drift = standing.pending.length > 0 ? [] : this.#drift(declared, others as SQLiteTable[])
      return { ...standing, drift: [...edited, ...drift] }
    })
  }

  hasTables(): Promise<boolean> {
    return this.#run(() => this.#hasTables())
  }

  count(collection: string): Promise<number> {
    return this.#run(() => {
      if (!this.#hasTables()) return 0
      return this.#connection
        .prepare<[string, number], number>(`SELECT count(*) FROM kv WHERE collection = ? AND ${isAlive}`)
        .pluck()
        .get(collection, Date.now())!
    })
  }

  countLoss(loss: MigrationLoss): Promise<number | null> {
    return this.#run(() => {
      if ('table' in loss) return this.#countColumn(loss.table, loss.column)
      return loss.path.every(isWritable) ? this.#countField(loss.collection, jsonPath(loss.path)) : null
    })
  }

  rows(collection: string, after: Uint8Array, limit: number): Promise<OldRow[]> {
    return this.#run(() => new StagingTable(this.#connection, '', collection).rowsAfter(after, limit))
  }

  staged({ id, collection }: Pick<Step, 'id' | 'collection'>): StagedRows {
    const table = new StagingTable(this.#connection, id, collection)
    return new SqliteStagedRows(table, (attempt) => this.#run(attempt))
  }

  async backUp(
    before: string,
    pending: readonly Migration[],
    options: MigrationBackupOptions,
  ): Promise<string | null> {
    // A backup of an earlier run stays.
    const path = freeName(`${this.file}.before-${before}`)
    const assertPending = (copy: string) => {
      const { connection } = connect({ path: copy, readOnly: true, durability: 'full', migrated: true })
      try {
        if (pending.some((migration) => isApplied(connection, migration))) throw new AppliedMeanwhile()
      } finally {
        connection.close()
      }
    }
    try {
      await backUp(this.file, path, { ...options, busyTimeout: this.#busyTimeout, look: assertPending })
      return path
    } catch (error) {
      if (error instanceof AppliedMeanwhile) return null
      throw error
    }
  }

  apply(
    migrations: readonly Migration[],
    migration: Migration,
    steps: readonly Step[],
    accept: (failures: readonly (readonly FailedRow[])[]) => boolean,
  ): Promise<boolean> {
    return this.#run(() =>
      this.#transaction(() => {
        const next = pendingMigrations(this.#connection, migrations)[0]
        if (next?.tag !== migration.tag) return true
        const staged: StagingTable[] = []
        for (const { id, collection, convert } of steps) {
          const table = new StagingTable(this.#connection, id, collection)
          const results = convertAtOnce(table.staleRows(new Uint8Array(), mostRowsAtOnce + 1), convert)
          if (results === null) return false
          table.put(results)
          staged.push(table)
        }
        if (!accept(staged.map((table) => table.failures()))) return false
        applyMigration(this.#connection, migrations, migration, staged)
        return true
      }),
    )
  }

  tidy(): Promise<void> {
    return this.#run(() => {
      if (hasTable(this.#connection, stagingTable)) this.#connection.exec(dropStaging)
    })
  }

  assertTakeable(): Promise<void> {
    return this.#run(() => this.#assertTakeable())
  }

  collections(): Promise<readonly Collection[]> {
    return this.#run(() =>
      hasTable(this.#connection, 'kv_collections') ? readCatalog(this.#connection).collections : [],
    )
  }

  baseline(applied: readonly Migration[]): Promise<void> {
    const { collections } = applied.at(-1)!.snapshot
    const tables = tablesOf(collections)
    return this.#run(() =>
      this.#transaction(() => {
        this.#assertTakeable()
        createOwnTables(this.#connection, tables)
        const before = readCatalog(this.#connection)
        const changes = indexChanges(this.#connection, collections)
        for (const name of changes.extra) dropIndex(this.#connection, name)
        buildIndexes(this.#connection, tables, collections, changes)
        for (const search of extraSearches(this.#connection, collections))
          removeSearch(this.#connection, search)
        for (const search of missingSearches(this.#connection, searchesOf(collections)))
          buildSearch(this.#connection, search)
        registerMigrated(this.#connection, collections, before)
        keepPastSchemas(this.#connection, takenPastSchemas(applied, before))
        for (const migration of applied) markApplied(this.#connection, migration)
        markFormat(this.#connection)
      }),
    )
  }

  async close(): Promise<void> {
    this.#connection.close()
    if (this.#readOnly) removeEmptyLog(this.file)
  }

  #hasTables(): boolean {
    return hasTable(this.#connection, 'kv')
  }

  /** How many rows of a collection have a value at a JSON path. */
  #countField(collection: string, path: string): number {
    if (!this.#hasTables()) return 0
    return this.#connection
      .prepare<[string, string], number>(
        `SELECT count(*) FROM kv WHERE collection = ? AND encoding IN (0, 1)
         AND CASE WHEN json_valid(value) THEN json_type(value, ?) END IS NOT NULL`,
      )
      .pluck()
      .get(collection, path)!
  }

  /** How many rows of a table have a value in a column; without a column, how many rows there are. */
  #countColumn(table: string, column: string | null): number {
    if (!hasTable(this.#connection, table)) return 0
    const counted = column === null ? '*' : `"${column}"`
    return this.#connection.prepare<[], number>(`SELECT count(${counted}) FROM "${table}"`).pluck().get()!
  }

  #assertTakeable(): void {
    if (hasTable(this.#connection, '__drizzle_migrations')) {
      const had = this.#connection.prepare('SELECT 1 FROM __drizzle_migrations').get() !== undefined
      if (had) throw new MigrationError('The database has had migrations already: leave out the baseline')
    }
    if (!this.#hasTables()) {
      throw new MigrationError(
        'The database holds no tables of valkeyrie to take over: leave out the baseline',
      )
    }
  }

  #drift(collections: readonly MigratedCollection[], others: readonly SQLiteTable[]): Drift[] {
    // These indexes are compared by their text, below.
    const own = Object.values(kvTables())
    const drift = tableDrift(this.#connection, [...own, ...others])
    if (!this.#hasTables()) return drift
    const { create, replace, extra } = indexChanges(this.#connection, collections)
    const indexes = [
      ...create.map((name) => driftOf('index', name, 'is missing')),
      ...replace.map((name) => driftOf('index', name, 'is not as declared')),
      ...extra.map((name) => driftOf('index', name, 'is not declared')),
      ...missingSearches(this.#connection, searchesOf(collections)).map((search) =>
        driftOf('index', searchName(search), 'is missing, or not as declared'),
      ),
      ...extraSearches(this.#connection, collections).map((search) =>
        driftOf('index', searchName(search), 'is not declared'),
      ),
    ]
    return [...new Map([...drift, ...indexes].map((it) => [it.message, it])).values()]
  }

  /** Runs `attempt` again while other processes are in its way. */
  #run<T>(attempt: () => T): Promise<T> {
    return retryBusy(attempt, this.#busyTimeout)
  }

  /** Reads one state of the database. */
  #read<T>(body: () => T): Promise<T> {
    return this.#run(() => {
      this.#connection.exec('BEGIN')
      try {
        return body()
      } finally {
        this.#connection.exec('COMMIT')
      }
    })
  }

  #transaction<T>(body: () => T): T {
    this.#connection.exec('BEGIN IMMEDIATE')
    try {
      const result = body()
      this.#connection.exec(result === false ? 'ROLLBACK' : 'COMMIT')
      return result
    } finally {
      if (this.#connection.inTransaction) this.#connection.exec('ROLLBACK')
    }
  }
}
