import type pg from 'pg'
import type { Row, Statement } from './statement.types.ts'

/** Makes a value from the text of a column. */
export type ColumnParser = (text: string) => unknown

/** The parsers for the columns of each named statement of a connection: the server need not describe them again. */
export type KnownColumns = Map<string, readonly ColumnParser[]>

/** The answer of the server to a statement, or to the last of several. */
export interface Answer {
  readonly rows: Row[]
  /** For example `COMMIT` or `SELECT 1`. */
  readonly tag: string
}

/** The part of the connection of `pg` that sends a statement. */
interface Wire {
  bind(what: {
    statement: string
    values: readonly unknown[]
    valueMapper: (value: unknown) => unknown
  }): void
  execute(): void
  sync(): void
}

/** The inside of `Query` of `pg`. A derived class may handle the messages that the client passes on, as `pg-cursor` does. */
interface QueryOfPg {
  name: string | undefined
  values: readonly unknown[]
  callback: (error: unknown) => void
  submit(wire: Wire): Error | null
}

interface Told {
  readonly columns: KnownColumns
  readonly parserOf: (type: number) => ColumnParser
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/** Runs a statement on a client. With `columns`, the columns of a named statement are asked for only once. */
export type Ask = (
  client: pg.Client,
  statement: Statement,
  values: readonly unknown[],
  columns: KnownColumns,
) => Promise<Answer>

/** Queries of `pg` whose rows are arrays, without the costs of its own queries beside the request. */
export function askBy({ Query }: typeof pg, parserOf: (type: number) => ColumnParser): Ask {
  const Base = Query as unknown as new (text: string) => QueryOfPg

  class ArrayQuery extends Base {
    readonly #told: Told
    readonly #rows: Row[] = []
    #parsers: readonly ColumnParser[] = []
    #tag = ''
    #failure: { readonly error: unknown } | null = null

    constructor({ name, text }: Statement, values: readonly unknown[], told: Told) {
      super(text)
      this.name = name
      this.values = values
      this.callback = told.reject
      this.#told = told
    }

    override submit(wire: Wire): Error | null {
      const known = this.name === undefined ? undefined : this.#told.columns.get(this.name)
      if (known === undefined) return super.submit(wire)
      this.#parsers = known
      wire.bind({ statement: this.name!, values: this.values, valueMapper: wireValue })
      wire.execute()
      wire.sync()
      return null
    }

    handleRowDescription({ fields }: { readonly fields: readonly { readonly dataTypeID: number }[] }): void {
      const { columns, parserOf } = this.#told
      this.#parsers = fields.map(({ dataTypeID }) => parserOf(dataTypeID))
      if (this.name !== undefined) columns.set(this.name, this.#parsers)
    }

    handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
      try {
        this.#rows.push(fields.map((text, place) => (text === null ? null : this.#parsers[place]!(text))))
      } catch (error) {
        this.#failure ??= { error }
      }
    }

    handleCommandComplete({ text }: { readonly text: string }): void {
      this.#tag = text
    }

    handleEmptyQuery(): void {}

    handleReadyForQuery(): void {
      if (this.#failure !== null) this.#told.reject(this.#failure.error)
      else this.#told.resolve({ rows: this.#rows, tag: this.#tag })
    }

    handleError(error: unknown): void {
      this.#told.reject(error)
    }
  }

  return (client, statement, values, columns) =>
    new Promise((resolve, reject) => {
      const query = new ArrayQuery(statement, values, { columns, parserOf, resolve, reject })
      client.query(query as unknown as pg.Submittable)
    })
}

/** A parameter as it is sent: bytes unchanged, anything else as text. */
function wireValue(value: unknown): string | Buffer | null {
  if (value === null || typeof value === 'string') return value
  if (value instanceof Buffer) return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return String(value)
}
