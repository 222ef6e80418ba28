import { isPromise } from 'node:util/types'
import type { Collection } from '../catalog/catalog.ts'
import type { FieldLoss, MigratedCollection, Migration, TableLoss } from './migration.ts'

/** A table that a schema module declares for drizzle-kit, of the engine's own kind. */
export type DeclaredTable = object

/** A row that a step has to make a new value of. */
export interface OldRow {
  readonly key: Uint8Array
  readonly value: string | Uint8Array
  readonly encoding: number
  readonly types: string | null
  readonly version: number
}

/** What a step has made of a row: its new value, or why there is none. */
export interface StagedRow extends OldRow {
  readonly error: string | null
}

/** A row that a step could not make a new value of. */
export interface FailedRow extends OldRow {
  /** In milliseconds since the epoch. */
  readonly expiresAt: number | null
  readonly error: string
}

/** A step of a migration: `id` tells which program makes the new values of the rows of a collection. */
export interface Step {
  readonly id: string
  readonly collection: string
  /** Makes the new value of a row. */
  convert(row: OldRow): StagedRow | Promise<StagedRow>
}

/** The results of one step in the database. They outlive the process, so that a run that was killed is continued. */
export interface StagedRows {
  /** Makes room for the results, and drops those of other programs. Gives how many there are. */
  begin(): Promise<number>
  /** The last key that has a result. */
  last(): Promise<Uint8Array>
  /** Rows after a key that may have no result yet: at most so many, and none where none is left. */
  rowsAfter(key: Uint8Array, limit: number): Promise<OldRow[]>
  /** Rows after a key that others have written since their result was made, or that have none. */
  staleRows(key: Uint8Array, limit: number): Promise<OldRow[]>
  /** Adds results, in a transaction of their own. */
  stage(rows: readonly StagedRow[]): Promise<void>
  /** The rows that are in the database and could not be converted, as they are stored. */
  failures(): Promise<FailedRow[]>
  /** Removes the results. */
  discard(): Promise<void>
}

/** Which migrations a database has had, and what differs. */
export interface MigrationStanding {
  /** The tags of those that it has had; of one that is none of these, nothing tells the tag. */
  readonly applied: readonly string[]
  readonly pending: readonly string[]
  /** Why these migrations are not the ones that lead to it; `null` if they are. */
  readonly history: string | null
  /** In what its tables and indexes differ; nothing is reported while migrations are pending. */
  readonly drift: readonly Drift[]
}

/** A database as the commands see it. Each call waits for others who have it open, for as long as it was opened to. */
export interface MigrationDatabase {
  readonly address: string
  /** The file that it is in; `null` if it is in none. */
  readonly file: string | null
  /** Those that it has not had. Throws a MigrationError if these are not the ones that lead to it. */
  pending(migrations: readonly Migration[]): Promise<readonly Migration[]>
  /** All of it describes one state. */
  standing(
    migrations: readonly Migration[],
    declared: readonly MigratedCollection[],
    others: readonly DeclaredTable[],
  ): Promise<MigrationStanding>
  /** Whether it holds the tables. */
  hasTables(): Promise<boolean>
  /** How many rows of a collection have not expired. */
  count(collection: string): Promise<number>
  /** How many rows have something to lose; `null` for a field that the engine cannot name. */
  countLoss(loss: FieldLoss | TableLoss): Promise<number | null>
  /** Rows of a collection in key order, after a key: at most so many, and none where none is left. */
  rows(collection: string, after: Uint8Array, limit: number): Promise<OldRow[]>
  staged(step: Pick<Step, 'id' | 'collection'>): StagedRows
  /**
   * Copies the database to where nothing is yet: as it was before the first of the pending migrations. Gives the place. `null`, with no
   * copy made, where others have applied that one meanwhile, and where the engine's databases are not copied by programs.
   *
   * `before`: what the copy is named by, such as `0001_rename`.
   */
  backUp(
    before: string,
    pending: readonly Migration[],
    options: MigrationBackupOptions,
  ): Promise<string | null>
  /**
   * Applies the migration in one transaction, unless another process has done so meanwhile. The last rows that others have written
   * since are converted in it. `accept` is given the rows that each step could not convert, and says whether they may stay as they are.
   * `false`, with nothing done, where they may not, or where more is left to convert than the others can wait for.
   */
  apply(
    migrations: readonly Migration[],
    migration: Migration,
    steps: readonly Step[],
    accept: (failures: readonly (readonly FailedRow[])[]) => boolean,
  ): Promise<boolean>
  /** Removes what a run that was killed has left, where nothing is pending any more. */
  tidy(): Promise<void>
  /** Throws a MigrationError unless the database was created without migrations. */
  assertTakeable(): Promise<void>
  /** The collections that it knows, as those who have opened it declare them. */
  collections(): Promise<readonly Collection[]>
  /** Takes over a database that was created without migrations, as one that has had the first ones of these. */
  baseline(applied: readonly Migration[]): Promise<void>
  close(): Promise<void>
}

export interface MigrationBackupOptions {
  onProgress?(done: number, total: number): void
  readonly signal?: AbortSignal | undefined
}

/** How an engine migrates its databases. */
export interface Migrator {
  /** The `dialect` of drizzle.config.ts in which the migrations of its databases are written. */
  readonly dialect: string
  exists(address: string): Promise<boolean>
  /** `readOnly`: it must be there, and nothing is written. */
  open(address: string, readOnly?: boolean): Promise<MigrationDatabase>
  /** Lets one process at a time run the steps of a database: waits for the others, and says once that it does. It ends with the process. */
  lock(address: string, onWait: () => void, signal?: AbortSignal): Promise<MigrationLock>
  /**
   * Has a new database take the place of one, which others may be in the way of no longer than `busyTimeout` milliseconds. It is made
   * apart, at the address that `make` is given: whatever ends this, the old one is there or the new one.
   */
  replace<T>(address: string, busyTimeout: number, make: (address: string) => Promise<T>): Promise<T>
}

export interface MigrationLock {
  release(): Promise<void>
}

/** What others have written is converted while they wait, where it is no more than this. */
export const mostRowsAtOnce = 5_000

/** The new values of rows, made at once; `null` if there are too many, or where one takes a promise. */
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
