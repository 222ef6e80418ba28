import { existsSync } from 'node:fs'
import type Database from 'better-sqlite3'
import { databasePath } from '../../../database-path.ts'
import { MigrationError } from '../../../errors.ts'
import { knowsCollections, readCatalog, registerCollections } from '../catalog.ts'
import { connect, markFormat } from '../connection.ts'
import { createIndexes, createTable } from '../ddl.ts'
import { engineCode } from '../engine-error.ts'
import { applyIndexChanges, indexChanges } from '../indexes.ts'
import { parsePatternText } from '../pattern-text.ts'
import { retryBusy } from '../retry-busy.ts'
import { kvTables } from '../table.ts'
import { hasTable, markApplied, pendingMigrations } from './applied.ts'
import { applyMigration } from './apply.ts'
import type { MigratedCollection, Migration } from './folder.ts'
import { type OldRow, StagedStep, stagingTable } from './staged-step.ts'

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
    const options = { path: absolute, readOnly, durability: 'full' } as const
    const connection = await retryBusy(() => connect(options), busyTimeout)
    return new MigrationDatabase(absolute, connection, busyTimeout)
  }

  static exists(path: string): boolean {
    return existsSync(path)
  }

  pending(migrations: readonly Migration[]): Promise<readonly Migration[]> {
    return this.run(() => pendingMigrations(this.#connection, migrations))
  }

  /** Whether it holds the tables. */
  hasTables(): boolean {
    return hasTable(this.#connection, 'kv')
  }

  count(collection: string): number {
    if (!this.hasTables()) return 0
    return this.#connection
      .prepare<[string], number>('SELECT count(*) FROM kv WHERE collection = ?')
      .pluck()
      .get(collection)!
  }

  /** How many rows of a collection have something at a JSON path. */
  countField(collection: string, path: string): number {
    if (!this.hasTables()) return 0
    return this.#connection
      .prepare<[string, string], number>(
        'SELECT count(*) FROM kv WHERE collection = ? AND encoding IN (0, 1) AND json_type(value, ?) IS NOT NULL',
      )
      .pluck()
      .get(collection, path)!
  }

  /** Rows of a collection in key order, after a key. */
  rows(collection: string, after: Uint8Array, limit: number): OldRow[] {
    return new StagedStep(this.#connection, '', collection).rowsAfter(after, limit)
  }

  step(id: string, collection: string): StagedStep {
    return new StagedStep(this.#connection, id, collection)
  }

  /** Copies the database with SQLite's online backup. */
  async backup(path: string, onProgress: (done: number, total: number) => void): Promise<void> {
    await this.#connection.backup(path, {
      progress({ totalPages, remainingPages }) {
        onProgress(totalPages - remainingPages, totalPages)
        return 1_000
      },
    })
  }

  /**
   * Writes the results of the steps and applies the migration, in one transaction, unless another process has done so
   * meanwhile. `false`, with nothing done, where others have written rows since their results were made.
   */
  apply(
    migrations: readonly Migration[],
    migration: Migration,
    steps: readonly StagedStep[],
  ): Promise<boolean> {
    return this.run(() =>
      this.#transaction(() => {
        const next = pendingMigrations(this.#connection, migrations)[0]
        if (next?.tag !== migration.tag) return true
        if (steps.some((step) => step.staleRows(1).length > 0)) return false
        for (const step of steps) step.write()
        applyMigration(this.#connection, migration)
        this.#register(migration.snapshot.collections)
        this.#connection.exec(`DROP TABLE IF EXISTS ${stagingTable}`)
        return true
      }),
    )
  }

  /** Takes over a database that was created without migrations, as one that has had the first ones of these. */
  baseline(applied: readonly Migration[]): Promise<void> {
    const { collections } = applied.at(-1)!.snapshot
    const tables = kvTables(collections)
    return this.run(() =>
      this.#transaction(() => {
        if (hasTable(this.#connection, '__drizzle_migrations')) {
          const had = this.#connection.prepare('SELECT 1 FROM __drizzle_migrations').get() !== undefined
          if (had) throw new MigrationError('The database has had migrations already: leave out --baseline')
        }
        if (!this.hasTables()) {
          throw new MigrationError(
            'The database holds no tables of valkeyrie to take over: leave out --baseline',
          )
        }
        for (const table of Object.values(tables)) this.#connection.exec(createTable(table))
        const changes = indexChanges(this.#connection, tables, collections)
        applyIndexChanges(this.#connection, tables, collections, changes)
        this.#register(collections)
        for (const migration of applied) markApplied(this.#connection, migration)
        markFormat(this.#connection)
      }),
    )
  }

  /** In what the tables and indexes differ from those of these collections, as sentences. */
  drift(collections: readonly MigratedCollection[]): string[] {
    const tables = kvTables(collections)
    const missing = ['kv', 'kv_log', 'kv_collections'].filter((name) => !hasTable(this.#connection, name))
    if (missing.length > 0) return missing.map((name) => `table ${name} is missing`)
    const { create, drop } = indexChanges(this.#connection, tables, collections)
    const declared = createIndexes(tables.kv)
    return [
      ...create.map((name) => `index ${name} is ${drop.includes(name) ? 'not as declared' : 'missing'}`),
      ...drop.filter((name) => !declared.has(name)).map((name) => `index ${name} is not declared`),
    ]
  }

  /** Runs `attempt` again while other processes are in its way. */
  run<T>(attempt: () => T): Promise<T> {
    return retryBusy(attempt, this.#busyTimeout)
  }

  close(): void {
    this.#connection.close()
  }

  #register(collections: readonly MigratedCollection[]): void {
    const tables = kvTables(collections)
    const known = collections.map(({ name, pattern, schema }) => ({
      name,
      pattern: parsePatternText(pattern),
      schema,
    }))
    if (knowsCollections(readCatalog(this.#connection, tables), known)) return
    try {
      registerCollections(this.#connection, tables, known)
    } catch (error) {
      if (engineCode(error) !== 'SQLITE_CONSTRAINT_UNIQUE') throw error
      throw new MigrationError(
        `Rows that a new pattern matches have the same values as others in a unique index: ${(error as Error).message}`,
        { cause: error },
      )
    }
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
