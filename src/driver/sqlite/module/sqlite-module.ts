/** The name of a module for SQLite. */
export type ModuleName = SqliteModule['name']

/** How to open a file. */
export interface ConnectionMode {
  readonly readOnly?: boolean
  /** Whether to create a missing file. */
  readonly create?: boolean
  /** How many milliseconds the engine itself waits for a lock, blocking the thread. */
  readonly timeout?: number
}

/** A module for SQLite, adapted to the shape of `Connection`. */
export interface SqliteModule {
  readonly name: 'better-sqlite3' | 'node:sqlite'
  open(path: string, mode: ConnectionMode): Connection
  /**
   * The text of a function that returns `open` on another thread, where it only has its own `require` and the given data. Throws if
   * the thread cannot have the module.
   */
  onThread(): { readonly program: string; readonly data: string }
}

/**
 * A connection to a database: the part of better-sqlite3's interface that the driver uses. Each error of the engine has a `code`,
 * such as `SQLITE_CONSTRAINT_UNIQUE`. Integers are numbers, even inexact ones; blobs are Uint8Arrays.
 */
export interface Connection {
  readonly open: boolean
  readonly inTransaction: boolean
  prepare<Parameters extends readonly unknown[] = unknown[], Row = unknown>(
    sql: string,
  ): EngineStatement<Parameters, Row>
  /** Runs any number of statements. */
  exec(sql: string): unknown
  /** The rows of a pragma; `simple`: the first column of the first row. */
  pragma(text: string, options?: { readonly simple?: boolean }): unknown
  /** Registers an SQL function, with as many parameters as `call` names. */
  function(
    name: string,
    options: FunctionOptions,
    implementation: (...parameters: unknown[]) => unknown,
  ): unknown
  aggregate<State>(name: string, options: AggregateOptions<State>): unknown
  /** Copies the database into a file. `progress` returns how many pages to copy before the next call. */
  backup(path: string, options?: { progress(left: BackupLeft): number }): Promise<unknown>
  close(): unknown
}

/** A statement. Its rows are objects by column, unless one of the three methods says otherwise. */
export interface EngineStatement<Parameters extends readonly unknown[] = unknown[], Row = unknown> {
  /** Whether it returns rows. */
  readonly reader: boolean
  readonly source: string
  run(...parameters: Parameters): { readonly changes: number }
  get(...parameters: Parameters): Row | undefined
  all(...parameters: Parameters): Row[]
  iterate(...parameters: Parameters): IterableIterator<Row>
  /** Returns rows as arrays of columns. */
  raw(): this
  /** Returns the first column of each row. */
  pluck(): this
  /** Returns integers as bigints. */
  safeIntegers(): this
}

export interface FunctionOptions {
  readonly deterministic?: boolean
  /** Views, triggers and indexes of the file cannot call it. */
  readonly directOnly?: boolean
}

export interface AggregateOptions<State> extends FunctionOptions {
  start(): State
  step(state: State, value: unknown): State
  result(state: State): unknown
}

export interface BackupLeft {
  readonly totalPages: number
  readonly remainingPages: number
}
