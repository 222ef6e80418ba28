import { existsSync } from 'node:fs'
import type Database from 'better-sqlite3'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { MigrationError } from '../../../errors.ts'
import type { Drift } from '../../drift.ts'
import { backUp, type CopyOptions } from '../backup/backup.ts'
import { readCatalog } from '../catalog.ts'
import { connect } from '../connection.ts'
import { databasePath } from '../database-path.ts'
import { assertShape, markFormat } from '../file-format.ts'
import { buildIndexes, dropIndex, indexChanges } from '../indexes.ts'
import { createOwnTables, hasTable } from '../own-tables.ts'
import { retryBusy } from '../retry-busy.ts'
import { kvTables } from '../table.ts'
import { appliedMigrations, isApplied, markApplied, pendingMigrations } from './applied.ts'
import { applyMigration } from './apply.ts'
import type { MigratedCollection, Migration } from './folder.ts'
import { registerMigrated } from './register.ts'
import { dropStaging, isAlive, type OldRow, StagedStep, stagingTable } from './staged-step.ts'
import { driftOf, tableDrift } from './table-drift.ts'

/** Others have applied what a backup was to come before. */
class AppliedMeanwhile extends Error {}

/** A database as the commands see it. Its transactions wait for other processes for `busyTimeout` milliseconds. */
export class MigrationDatabase {
  readonly path: string
  readonly #connection: Database.Database
  readonly #busyTimeout: number

  private constructor(path: string, connection: Database.Database, busyTimeout: number) {
    this.path = path
    this.#connection = connection
    this.#busyTimeout = busyTimeout
  }

  static async open(path: string, readOnly = false, busyTimeout = 30_000): Promise<MigrationDatabase> {
    const absolute = databasePath(path)
    const options = { path: absolute, readOnly, durability: 'full', migrated: true } as const
    const { connection } = await retryBusy(() => connect(options), busyTimeout)
    try {
      assertShape(connection, absolute)
    } catch (error) {
      connection.close()
      throw error
    }
    return new MigrationDatabase(absolute, connection, busyTimeout)
  }

  static exists(path: string): boolean {
    return existsSync(path)
  }

  /** Those that it has not had. Throws a MigrationError where these are not the ones that lead to it. */
  pending(migrations: readonly Migration[]): readonly Migration[] {
    return pendingMigrations(this.#connection, migrations)
  }

  /** The tags of the migrations that it has had; of one that is none of these, nothing tells the tag. */
  applied(migrations: readonly Migration[]): string[] {
    return appliedMigrations(this.#connection, migrations).map(({ tag }) => tag)
  }

  /** Whether it holds the tables. */
  hasTables(): boolean {
    return hasTable(this.#connection, 'kv')
  }

  /** How many rows of a collection have not expired. */
  count(collection: string): number {
    if (!this.hasTables()) return 0
    return this.#connection
      .prepare<[string, number], number>(`SELECT count(*) FROM kv WHERE collection = ? AND ${isAlive}`)
      .pluck()
      .get(collection, Date.now())!
  }

  /** How many rows of a collection have something at a JSON path. */
  countField(collection: string, path: string): number {
    if (!this.hasTables()) return 0
    return this.#connection
      .prepare<[string, string], number>(
        `SELECT count(*) FROM kv WHERE collection = ? AND encoding IN (0, 1)
         AND CASE WHEN json_valid(value) THEN json_type(value, ?) END IS NOT NULL`,
      )
      .pluck()
      .get(collection, path)!
  }

  /** How many rows of a table have something in a column, or how many there are. */
  countColumn(table: string, column: string | null): number {
    if (!hasTable(this.#connection, table)) return 0
    const counted = column === null ? '*' : `"${column}"`
    return this.#connection.prepare<[], number>(`SELECT count(${counted}) FROM "${table}"`).pluck().get()!
  }

  /** Rows of a collection in key order, after a key. */
  rows(collection: string, after: Uint8Array, limit: number): OldRow[] {
    return new StagedStep(this.#connection, '', collection).rowsAfter(after, limit)
  }

  step(id: string, collection: string): StagedStep {
    return new StagedStep(this.#connection, id, collection)
  }

  /**
   * Copies the database into a file that is not there yet: as it was before the first of the pending migrations. `false`, with no copy
   * made, where others have applied that one meanwhile.
   */
  async backup(
    path: string,
    pending: readonly Migration[],
    options: Pick<CopyOptions, 'onProgress' | 'signal'>,
  ): Promise<boolean> {
    const assertPending = (copy: string) => {
      const { connection } = connect({ path: copy, readOnly: true, durability: 'full', migrated: true })
      try {
        if (pending.some((migration) => isApplied(connection, migration))) throw new AppliedMeanwhile()
      } finally {
        connection.close()
      }
    }
    try {
      await backUp(this.path, path, { ...options, busyTimeout: this.#busyTimeout, look: assertPending })
      return true
    } catch (error) {
      if (error instanceof AppliedMeanwhile) return false
      throw error
    }
  }

  /**
   * Applies the migration in one transaction, unless another process has done so meanwhile, after `prepare`, which runs in the transaction.
   * `false`, with nothing done, where `prepare` says so.
   */
  apply(
    migrations: readonly Migration[],
    migration: Migration,
    prepare: () => boolean = () => true,
  ): Promise<boolean> {
    return this.run(() =>
      this.#transaction(() => {
        const next = pendingMigrations(this.#connection, migrations)[0]
        if (next?.tag !== migration.tag) return true
        if (!prepare()) return false
        applyMigration(this.#connection, migration)
        return true
      }),
    )
  }

  /** Removes what a run that was killed has left, where nothing is pending any more. */
  tidy(): Promise<void> {
    return this.run(() => {
      if (hasTable(this.#connection, stagingTable)) this.#connection.exec(dropStaging)
    })
  }

  /** Throws a MigrationError unless the database was created without migrations. */
  assertTakeable(): void {
    if (hasTable(this.#connection, '__drizzle_migrations')) {
      const had = this.#connection.prepare('SELECT 1 FROM __drizzle_migrations').get() !== undefined
      if (had) throw new MigrationError('The database has had migrations already: leave out --baseline')
    }
    if (!this.hasTables()) {
      throw new MigrationError('The database holds no tables of valkeyrie to take over: leave out --baseline')
    }
  }

  /** Takes over a database that was created without migrations, as one that has had the first ones of these. */
  baseline(applied: readonly Migration[]): Promise<void> {
    const { collections } = applied.at(-1)!.snapshot
    const tables = kvTables(collections)
    return this.run(() =>
      this.#transaction(() => {
        this.assertTakeable()
        createOwnTables(this.#connection, tables)
        const before = readCatalog(this.#connection)
        const changes = indexChanges(this.#connection, collections)
        for (const name of changes.extra) dropIndex(this.#connection, name)
        buildIndexes(this.#connection, tables, collections, changes)
        registerMigrated(this.#connection, collections, before)
        for (const migration of applied) markApplied(this.#connection, migration)
        markFormat(this.#connection)
      }),
    )
  }

  /** In what the tables and indexes differ from those of these collections, and from other declared tables. */
  drift(collections: readonly MigratedCollection[], others: readonly SQLiteTable[] = []): Drift[] {
    // The indexes of these are compared to the letter, below.
    const own = Object.values(kvTables())
    const drift = tableDrift(this.#connection, [...own, ...others])
    if (!this.hasTables()) return drift
    const { create, replace, extra } = indexChanges(this.#connection, collections)
    const indexes = [
      ...create.map((name) => driftOf('index', name, 'is missing')),
      ...replace.map((name) => driftOf('index', name, 'is not as declared')),
      ...extra.map((name) => driftOf('index', name, 'is not declared')),
    ]
    return [...new Map([...drift, ...indexes].map((it) => [it.message, it])).values()]
  }

  /** Runs `attempt` again while other processes are in its way. */
  run<T>(attempt: () => T): Promise<T> {
    return retryBusy(attempt, this.#busyTimeout)
  }

  /** Reads one state of the database. */
  read<T>(body: () => T): Promise<T> {
    return this.run(() => {
      this.#connection.exec('BEGIN')
      try {
        return body()
      } finally {
        this.#connection.exec('COMMIT')
      }
    })
  }

  close(): void {
    this.#connection.close()
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
