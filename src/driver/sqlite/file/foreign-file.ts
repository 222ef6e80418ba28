import { setImmediate as nextTurn } from 'node:timers/promises'
import { DatabaseOpenError } from '../../../contract/errors.ts'
import { openConnection, withModule } from '../module/open-connection.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { removeEmptyLog } from './empty-log.ts'
import { toKvError } from './engine-error.ts'
import { isMarked } from './file-format.ts'
import { openError } from './open-error.ts'

/** A text that is not Unicode, as other programs may store it: no string has its bytes. */
export class MalformedText {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** A value of a column; integers are bigints. */
export type ColumnValue = null | bigint | number | string | Uint8Array | MalformedText

const rowsPerTurn = 200

/** An SQLite file of another program: its tables, and their rows. Reads one state, and never writes. */
export class ForeignFile {
  /** The names of the columns of each table. */
  readonly tables: ReadonlyMap<string, readonly string[]>
  /** Whether it is a file of this package. */
  readonly isOwn: boolean
  readonly #path: string
  readonly #connection: Connection

  private constructor(path: string) {
    this.#path = path
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
        // A hidden column of a virtual table is a way to ask it; a generated column (2 and 3) has values of the rows.
        .prepare<[string], string>('SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1')
        .pluck()
      this.tables = new Map(names.map((name) => [name, columns.all(name)]))
    } catch (error) {
      this.close()
      throw error instanceof DatabaseOpenError ? error : toKvError(openError(path, error))
    }
  }

  /** Rejects with a DatabaseOpenError if this is not an SQLite file. */
  static async open(path: string): Promise<ForeignFile> {
    return withModule(path, () => new ForeignFile(path))
  }

  /** The values of these columns, row by row. */
  async *rows(table: string, columns: readonly string[]): AsyncGenerator<readonly ColumnValue[]> {
    const textOf = this.#textReader()
    const texts = columns.map((name) => `CAST(${quoted(name)} AS BLOB)`)
    // The same rows once more, read only as far as a text may have been misread.
    const stored = this.#select<Uint8Array>(table, texts)
    try {
      let behind = 0
      let rows = 0
      for (const row of this.#select<ColumnValue>(table, columns.map(quoted))) {
        behind += 1
        if (row.some(isDoubtful)) {
          for (; behind > 1; behind--) stored.next()
          const { value: bytes } = stored.next()
          behind = 0
          yield row.map((cell, i) => (isDoubtful(cell) ? textOf(bytes![i]!) : cell))
        } else yield row
        rows += 1
        if (rows % rowsPerTurn === 0) await nextTurn()
      }
    } finally {
      stored.return(undefined)
    }
  }

  *#select<T>(table: string, expressions: readonly string[]): Generator<readonly T[], undefined> {
    const sql = `SELECT ${expressions.join(', ')} FROM ${quoted(table)}`
    yield* this.#connection.prepare<[], T[]>(sql).raw().safeIntegers().iterate()
  }

  /** Reads the bytes of a text as the file keeps them. */
  #textReader(): (bytes: Uint8Array) => string | MalformedText {
    const encoding = this.#connection.pragma('encoding', { simple: true }) as string
    const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true })
    return (bytes) => {
      try {
        return decoder.decode(bytes)
      } catch {
        return new MalformedText(bytes)
      }
    }
  }

  close(): void {
    this.#connection.close()
    removeEmptyLog(this.#path)
  }
}

/** Whether this may be a text of other bytes: the engine's binding puts U+FFFD for those that are not Unicode. */
function isDoubtful(cell: ColumnValue): boolean {
  return typeof cell === 'string' && cell.includes('\ufffd')
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
