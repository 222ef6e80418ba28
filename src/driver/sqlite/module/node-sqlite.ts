// node:sqlite in the shape that the driver expects: statements, functions and backups differ in small ways, which are side by side
// in this file.
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import type {
  AggregateOptions,
  BackupLeft,
  Connection,
  EngineStatement,
  FunctionOptions,
  SqliteModule,
} from './sqlite-module.ts'

/** The SQLite inside Node.js, in the shape of `Connection`; `null` if there is none, or if it truncates texts. */
export function loadNodeSqlite(): SqliteModule | null {
  const engine = process.getBuiltinModule('node:sqlite')
  if (engine === undefined || !hasWholeTexts(engine)) return null
  return {
    name: 'node:sqlite',
    open: openerOf(engine, process.getBuiltinModule('node:url')),
    onThread: () => ({
      program: `() => (${openerOf})(require('node:sqlite'), require('node:url'))`,
      data: '',
    }),
  }
}

/** Whether a text continues after its first U+0000, unlike on Deno: keys are read as texts. */
function hasWholeTexts({ DatabaseSync }: typeof import('node:sqlite')): boolean {
  const connection = new DatabaseSync(':memory:')
  const text = connection.prepare("SELECT 'a' || char(0) || 'b' AS text").get()?.['text']
  connection.close()
  return text === 'a\0b'
}

/** Its text also runs on other threads, so it can only use its arguments. */
function openerOf(
  { DatabaseSync, backup }: typeof import('node:sqlite'),
  { pathToFileURL }: typeof import('node:url'),
): SqliteModule['open'] {
  const codes = [
    ...[
      'OK',
      'ERROR',
      'INTERNAL',
      'PERM',
      'ABORT',
      'BUSY',
      'LOCKED',
      'NOMEM',
      'READONLY',
      'INTERRUPT',
      'IOERR',
    ],
    ...['CORRUPT', 'NOTFOUND', 'FULL', 'CANTOPEN', 'PROTOCOL', 'EMPTY', 'SCHEMA', 'TOOBIG', 'CONSTRAINT'],
    ...['MISMATCH', 'MISUSE', 'NOLFS', 'AUTH', 'FORMAT', 'RANGE', 'NOTADB', 'NOTICE', 'WARNING'],
  ]
  /** What follows the first part of an extended code, from 1 on: https://www.sqlite.org/rescode.html. */
  const extended: Readonly<Record<string, string>> = {
    ERROR: 'MISSING_COLLSEQ RETRY SNAPSHOT',
    ABORT: '- ROLLBACK',
    BUSY: 'RECOVERY SNAPSHOT TIMEOUT',
    LOCKED: 'SHAREDCACHE VTAB',
    READONLY: 'RECOVERY CANTLOCK ROLLBACK DBMOVED CANTINIT DIRECTORY',
    IOERR:
      'READ SHORT_READ WRITE FSYNC DIR_FSYNC TRUNCATE FSTAT UNLOCK RDLOCK DELETE BLOCKED NOMEM ACCESS ' +
      'CHECKRESERVEDLOCK LOCK CLOSE DIR_CLOSE SHMOPEN SHMSIZE SHMLOCK SHMMAP SEEK DELETE_NOENT MMAP GETTEMPPATH ' +
      'CONVPATH VNODE AUTH BEGIN_ATOMIC COMMIT_ATOMIC ROLLBACK_ATOMIC DATA CORRUPTFS IN_PAGE',
    CORRUPT: 'VTAB SEQUENCE INDEX',
    CANTOPEN: 'NOTEMPDIR ISDIR FULLPATH CONVPATH DIRTYWAL SYMLINK',
    CONSTRAINT:
      'CHECK COMMITHOOK FOREIGNKEY FUNCTION NOTNULL PRIMARYKEY TRIGGER UNIQUE VTAB ROWID PINNED DATATYPE',
    AUTH: 'USER',
    NOTICE: 'RECOVER_WAL RECOVER_ROLLBACK RBU',
    WARNING: 'AUTOINDEX',
  }

  /** The engine's error with its name, such as `SQLITE_BUSY`: Node.js only gives its number. */
  const named = (error: unknown): unknown => {
    if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return error
    const first = codes[error.errcode & 0xff] ?? `UNKNOWN_${error.errcode}`
    const second = extended[first]?.split(' ')[(error.errcode >> 8) - 1]
    return Object.assign(error, {
      code: second === undefined ? `SQLITE_${first}` : `SQLITE_${first}_${second}`,
    })
  }
  const attempt = <T>(call: () => T): T => {
    try {
      return call()
    } catch (error) {
      throw named(error)
    }
  }
  const asNumber = (value: unknown) => (typeof value === 'bigint' ? Number(value) : value)
  /** Reads integers as bigints, because Node.js fails at inexact numbers, and converts them to numbers. */
  const inNumbers = (row: unknown[]): unknown[] => {
    for (let i = 0; i < row.length; i++) if (typeof row[i] === 'bigint') row[i] = Number(row[i])
    return row
  }
  /** A function with the same number of parameters, which gets numbers instead of bigints. */
  const ofNumbers = <A extends unknown[]>(call: (...values: A) => unknown) =>
    Object.defineProperty((...values: unknown[]) => call(...(values.map(asNumber) as A)), 'length', {
      value: call.length,
    }) as (...values: SQLOutputValue[]) => SQLInputValue

  class NodeStatement implements EngineStatement {
    readonly reader: boolean
    readonly source: string
    readonly #statement: StatementSync
    readonly #columns: readonly string[]
    #form: 'object' | 'array' | 'value' = 'object'
    #isSafe = false

    constructor(statement: StatementSync, source: string) {
      this.source = source
      this.#statement = statement
      this.#columns = statement.columns().map(({ name }) => name)
      this.reader = this.#columns.length > 0
      if (!this.reader) return
      statement.setReturnArrays(true)
      statement.setReadBigInts(true)
    }

    run(...parameters: unknown[]) {
      const { changes, lastInsertRowid } = attempt(() =>
        this.#statement.run(...(parameters as SQLInputValue[])),
      )
      return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) }
    }

    get(...parameters: unknown[]) {
      let row: unknown
      try {
        row = this.#statement.get(...(parameters as SQLInputValue[]))
      } catch (error) {
        throw named(error)
      }
      return row === undefined ? undefined : this.#shaped(row)
    }

    all(...parameters: unknown[]) {
      let rows: unknown[]
      try {
        rows = this.#statement.all(...(parameters as SQLInputValue[]))
      } catch (error) {
        throw named(error)
      }
      for (let i = 0; i < rows.length; i++) rows[i] = this.#shaped(rows[i])
      return rows
    }

    *iterate(...parameters: unknown[]) {
      try {
        for (const row of this.#statement.iterate(...(parameters as SQLInputValue[]))) yield this.#shaped(row)
      } catch (error) {
        throw named(error)
      }
    }

    raw(): this {
      this.#form = 'array'
      return this
    }

    pluck(): this {
      this.#form = 'value'
      return this
    }

    safeIntegers(): this {
      this.#isSafe = true
      return this
    }

    #shaped(columns: unknown): unknown {
      const row = this.#isSafe ? (columns as unknown[]) : inNumbers(columns as unknown[])
      if (this.#form === 'array') return row
      if (this.#form === 'value') return row[0]
      return Object.fromEntries(row.map((value, i) => [this.#columns[i], value]))
    }
  }

  class NodeConnection implements Connection {
    readonly name: string
    readonly #database: DatabaseSync

    constructor(name: string, database: DatabaseSync) {
      this.name = name
      this.#database = database
    }

    get open(): boolean {
      return this.#database.isOpen
    }

    get inTransaction(): boolean {
      return this.#database.isOpen && this.#database.isTransaction
    }

    prepare<P extends readonly unknown[], Row>(sql: string): EngineStatement<P, Row> {
      const statement = attempt(() => this.#database.prepare(sql))
      return new NodeStatement(statement, sql) as unknown as EngineStatement<P, Row>
    }

    exec(sql: string): this {
      attempt(() => this.#database.exec(sql))
      return this
    }

    pragma(text: string, { simple = false } = {}): unknown {
      const statement = this.prepare(`PRAGMA ${text}`)
      return simple ? statement.pluck().get() : statement.all()
    }

    /** Like that of better-sqlite3, which Drizzle calls: inside another transaction it is a savepoint. */
    transaction<A extends unknown[], T>(work: (...values: A) => T) {
      const by =
        (behavior: string) =>
        (...values: A): T => {
          const [begin, commit, undo] = this.inTransaction
            ? ['SAVEPOINT one_more', 'RELEASE one_more', 'ROLLBACK TO one_more; RELEASE one_more']
            : [`BEGIN ${behavior}`, 'COMMIT', 'ROLLBACK']
          this.exec(begin!)
          try {
            const result = work(...values)
            if (result instanceof Promise) throw new TypeError('Transaction function cannot return a promise')
            this.exec(commit!)
            return result
          } catch (error) {
            // The engine may already have rolled back, for example because the disk is full.
            if (this.inTransaction) this.exec(undo!)
            throw error
          }
        }
      const [deferred, immediate, exclusive] = [by('DEFERRED'), by('IMMEDIATE'), by('EXCLUSIVE')]
      return Object.assign(by('DEFERRED'), { deferred, immediate, exclusive })
    }

    function(
      name: string,
      options: FunctionOptions,
      implementation: (...values: unknown[]) => unknown,
    ): this {
      const { deterministic = false, directOnly = false } = options
      this.#database.function(
        name,
        { deterministic, directOnly, useBigIntArguments: true },
        ofNumbers(implementation),
      )
      return this
    }

    aggregate<State>(name: string, options: AggregateOptions<State>): this {
      const { start, step, result, directOnly = false } = options
      this.#database.aggregate(name, {
        directOnly,
        useBigIntArguments: true,
        // Its types expect a value of SQL here.
        start: start as never,
        step: ofNumbers(step as (...values: unknown[]) => unknown) as never,
        result: result as never,
      })
      return this
    }

    async backup(path: string, options?: { progress(left: BackupLeft): number }): Promise<unknown> {
      try {
        return await backup(this.#database, path, {
          rate: 512,
          ...(options && { progress: (left: BackupLeft) => void options.progress(left) }),
        })
      } catch (error) {
        throw named(error)
      }
    }

    close(): this {
      if (this.#database.isOpen) this.#database.close()
      return this
    }
  }

  return (path, { readOnly = false, create = false, timeout = 0 }) => {
    let file: string | URL = path
    if (!readOnly && !create) {
      file = pathToFileURL(path)
      file.searchParams.set('mode', 'rw')
    }
    return attempt(() => new NodeConnection(path, new DatabaseSync(file, { readOnly, timeout })))
  }
}
