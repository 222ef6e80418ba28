import { setImmediate as nextTurn } from 'node:timers/promises'
import { DatabaseOpenError } from '../../../contract/errors.ts'
import { openConnection, withModule } from '../module/open-connection.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { toKvError } from './engine-error.ts'
import { isMarked } from './file-format.ts'
import { openError } from './open-error.ts'

/** A value of a column; integers are bigints. */
export type ColumnValue = null | bigint | number | string | Uint8Array

const rowsPerTurn = 200

/** An SQLite file of another program: its tables, and their rows. Reads one state, and never writes. */
export class ForeignFile {
  /** The names of the columns of each table. */
  readonly tables: ReadonlyMap<string, readonly string[]>
  /** Whether it is a file of this package. */
  readonly isOwn: boolean
  readonly #connection: Connection

  private constructor(path: string) {
    try {
      this.#connection = openConnection(path, { readOnly: true, timeout: 5_000 })
    } catch (error) {
      throw openError(path, error)
    }
    try {
      this.#connection.exec('BEGIN')
      this.isOwn = isMarked(this.#connection)
      const names = this.#connection
        .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name")
        .pluck()
        .all()
      const columns = this.#connection
        .prepare<[string], string>('SELECT name FROM pragma_table_xinfo(?)')
        .pluck()
      this.tables = new Map(names.map((name) => [name, columns.all(name)]))
    } catch (error) {
      this.#connection.close()
      throw error instanceof DatabaseOpenError ? error : toKvError(openError(path, error))
    }
  }

  /** Rejects with a DatabaseOpenError if this is not an SQLite file. */
  static async open(path: string): Promise<ForeignFile> {
    return withModule(path, () => new ForeignFile(path))
  }

  /** The values of these columns, row by row. */
  async *rows(table: string, columns: readonly string[]): AsyncGenerator<readonly ColumnValue[]> {
    const select = `SELECT ${columns.map(quoted).join(', ')} FROM ${quoted(table)}`
    const statement = this.#connection.prepare<[], ColumnValue[]>(select).raw().safeIntegers()
    let rows = 0
    for (const row of statement.iterate()) {
      yield row
      rows += 1
      if (rows % rowsPerTurn === 0) await nextTurn()
    }
  }

  close(): void {
    this.#connection.close()
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
