/** By which module SQLite is reached. */
export type ModuleName = SqliteModule['name']

/** How to open a file. */
export interface ConnectionMode {
  readonly readOnly?: boolean
  /** Whether a file that is not there is created. */
  readonly create?: boolean
  /** Milliseconds for which the engine itself waits for a lock, and the thread with it. */
  readonly timeout?: number
}

/** A module through which SQLite is reached. What it does not have in the shape of `Connection`, it is given. */
export interface SqliteModule {
  readonly name: 'better-sqlite3' | 'node:sqlite'
  open(path: string, mode: ConnectionMode): Connection
  /**
   * A function's text that gives `open` on another thread, which has nothing but its own `require` and what is given as data.
   * Throws if the thread cannot have the module.
   */
  onThread(): { readonly program: string; readonly data: string }
}

/**
 * A connection to a database: the part of the interface of better-sqlite3 that the driver uses. Each error of the engine has a `code`, as
 * `SQLITE_CONSTRAINT_UNIQUE`. Integers are numbers, also where they are too large to be exact; blobs are Uint8Arrays.
 */
export interface Connection {
  readonly open: boolean
  readonly inTransaction: boolean
  prepare<Parameters extends readonly unknown[] = unknown[], Row = unknown>(
    sql: string,
  ): EngineStatement<Parameters, Row>
  /** Runs any number of statements. */
  exec(sql: string): unknown
  /** The rows of a pragma; `simple`: the first column of the first one. */
  pragma(text: string, options?: { readonly simple?: boolean }): unknown
  /** Gives the connection an SQL function of as many parameters as the function names. */
  function(
    name: string,
    options: FunctionOptions,
    implementation: (...parameters: unknown[]) => unknown,
  ): unknown
  aggregate<State>(name: string, options: AggregateOptions<State>): unknown
  /** Copies the database into a file. `progress` tells how many pages to copy before it is asked again. */
  backup(path: string, options?: { progress(left: BackupLeft): number }): Promise<unknown>
  close(): unknown
}

/** A statement, as the rows that it gives are asked for: objects by their columns, unless one of the three says otherwise. */
export interface EngineStatement<Parameters extends readonly unknown[] = unknown[], Row = unknown> {
  /** Whether it gives rows. */
  readonly reader: boolean
  readonly source: string
  run(...parameters: Parameters): { readonly changes: number }
  get(...parameters: Parameters): Row | undefined
  all(...parameters: Parameters): Row[]
  iterate(...parameters: Parameters): IterableIterator<Row>
  /** Rows as arrays of their columns. */
  raw(): this
  /** The first column of each row. */
  pluck(): this
  /** Integers as bigints. */
  safeIntegers(): this
}

export interface FunctionOptions {
  readonly deterministic?: boolean
  /** Not to be called by a view, a trigger or an index of the file. */
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
