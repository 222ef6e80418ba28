import { isPromise } from 'node:util/types'
import type { Collection } from '../catalog/catalog.ts'
import type { FieldLoss, MigratedCollection, Migration, TableLoss } from './migration.ts'

/** A table of the engine that a schema module declares for drizzle-kit. */
export type DeclaredTable = object

/** A row that a step must convert. */
export interface OldRow {
  readonly key: Uint8Array
  readonly value: string | Uint8Array
  readonly encoding: number
  readonly types: string | null
  readonly version: number
}

/** The result of a step for a row: its new value, or why there is none. */
export interface StagedRow extends OldRow {
  readonly error: string | null
}

/** A row that a step could not convert. */
export interface FailedRow extends OldRow {
  /** In milliseconds since the epoch. */
  readonly expiresAt: number | null
  readonly error: string
}

/** A step of a migration: `id` identifies the program that converts the rows of a collection. */
export interface Step {
  readonly id: string
  readonly collection: string
  /** Converts a row. */
  convert(row: OldRow): StagedRow | Promise<StagedRow>
}

/** The results of one step, stored in the database, so that they survive a process that was killed. */
export interface StagedRows {
  /** Prepares for results, and drops those of other programs. Returns how many there are. */
  begin(): Promise<number>
  /** The last key with a result. */
  last(): Promise<Uint8Array>
  /** Rows after a key that may not have a result yet: at most `limit`, and none at the end. */
  rowsAfter(key: Uint8Array, limit: number): Promise<OldRow[]>
  /** Rows after a key that have no result, or that others have written since. */
  staleRows(key: Uint8Array, limit: number): Promise<OldRow[]>
  /** Stores results, in a transaction of their own. */
  stage(rows: readonly StagedRow[]): Promise<void>
  /** The existing rows that could not be converted, in their stored form. */
  failures(): Promise<FailedRow[]>
  /** Removes the results. */
  discard(): Promise<void>
}

/** Which migrations a database has had, and what differs. */
export interface MigrationStanding {
  /** The tags of those that it has had; an unknown migration has no tag. */
  readonly applied: readonly string[]
  readonly pending: readonly string[]
  /** Why these migrations do not lead to this database; `null` if they do. */
  readonly history: string | null
  /** How its tables and indexes differ; empty while migrations are pending. */
  readonly drift: readonly Drift[]
}

/** A database, as the commands use it. Each call waits for others that have it open, up to a time set when it was opened. */
export interface MigrationDatabase {
  readonly address: string
  /** The file of the database; `null` if it is not in one. */
  readonly file: string | null
  /** The migrations that it has not had. Throws a MigrationError if these migrations do not lead to this database. */
  pending(migrations: readonly Migration[]): Promise<readonly Migration[]>
  /** All of it describes one state. */
  standing(
    migrations: readonly Migration[],
    declared: readonly MigratedCollection[],
    others: readonly DeclaredTable[],
  ): Promise<MigrationStanding>
  /** Whether it has the tables. */
  hasTables(): Promise<boolean>
  /** How many rows of a collection have not expired. */
  count(collection: string): Promise<number>
  /** How many rows would lose something; `null` for a field that the engine cannot name. */
  countLoss(loss: FieldLoss | TableLoss): Promise<number | null>
  /** Rows of a collection in key order, after a key: at most `limit`, and none at the end. */
  rows(collection: string, after: Uint8Array, limit: number): Promise<OldRow[]>
  staged(step: Pick<Step, 'id' | 'collection'>): StagedRows
  /**
   * Copies the database as it was before the first pending migration, to a new file. Returns its path. `null`, without a copy, if
   * others have just applied that migration, or if programs do not copy the engine's databases. `before`: the migration to name the
   * copy after, such as `0001_rename`.
   */
  backUp(
    before: string,
    pending: readonly Migration[],
    options: MigrationBackupOptions,
  ): Promise<string | null>
  /**
   * Applies the migration in one transaction, unless another process has just done so. Within it, converts the last rows that
   * others have written. `accept` gets the rows that each step could not convert, and says whether they may stay as they are.
   * Returns `false`, and does nothing, if they may not, or if more rows are left than others can wait for.
   */
  apply(
    migrations: readonly Migration[],
    migration: Migration,
    steps: readonly Step[],
    accept: (failures: readonly (readonly FailedRow[])[]) => boolean,
  ): Promise<boolean>
  /** Removes what a killed run has left behind, once nothing is pending. */
  tidy(): Promise<void>
  /** Throws a MigrationError unless the database was created without migrations. */
  assertTakeable(): Promise<void>
  /** The collections in its catalogue. */
  collections(): Promise<readonly Collection[]>
  /** Takes over a database that was created without migrations, as if it had had these. */
  baseline(applied: readonly Migration[]): Promise<void>
  close(): Promise<void>
}

export interface MigrationBackupOptions {
  onProgress?(done: number, total: number): void
  readonly signal?: AbortSignal | undefined
}

/** How an engine migrates its databases. */
export interface Migrator {
  /** The `dialect` of drizzle.config.ts for migrations of its databases. */
  readonly dialect: string
  exists(address: string): Promise<boolean>
  /** `readOnly`: the database must exist, and nothing is written. */
  open(address: string, readOnly?: boolean): Promise<MigrationDatabase>
  /**
   * Lets one process at a time run the steps of a database: waits for the others, and calls `onWait` once. The lock ends with the
   * process.
   */
  lock(address: string, onWait: () => void, signal?: AbortSignal): Promise<MigrationLock>
  /**
   * Replaces a database with a new one. Others may block that for at most `busyTimeout` milliseconds. `make` gets the address where
   * to make the new one; so whenever this stops, there is either the old one or the new one.
   */
  replace<T>(address: string, busyTimeout: number, make: (address: string) => Promise<T>): Promise<T>
}

export interface MigrationLock {
  release(): Promise<void>
}

/** Up to this many rows that others have just written are converted while those others wait. */
export const mostRowsAtOnce = 5_000

/** The new values of rows, computed synchronously; `null` if there are too many, or if a conversion returns a promise. */
export function convertAtOnce(rows: readonly OldRow[], convert: Step['convert']): StagedRow[] | null {
  if (rows.length > mostRowsAtOnce) return null
  const results: StagedRow[] = []
  for (const row of rows) {
    const result = convert(row)
    if (isPromise(result)) return null
    results.push(result)
  }
  return results
}

/** A difference between a database and its migrations or the declared schemas. */
export interface Drift {
  /**
   * `table`, `column`, `index`: it is missing, differs, or is not declared. `history`: the migrations that the database has had are not
   * those of the folder, or one was edited since. `schemas`: the declared schemas have changed since the last migration. `modules`: the `index.ts` of the folder
   * of migrations does not hold what the folder does.
   */
  readonly kind: 'table' | 'column' | 'index' | 'history' | 'schemas' | 'modules'
  /** The name of the table, column or index, or the tag of the edited migration. */
  readonly name: string | null
  /** A sentence about it. */
  readonly message: string
}

export function driftOf(kind: Drift['kind'], name: string, what: string): Drift {
  return { kind, name, message: `${kind} ${name} ${what}` }
}
