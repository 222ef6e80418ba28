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

/** A statement to run, and who waits for its answer. */
export interface Asked {
  readonly statement: Statement
  readonly values: readonly unknown[]
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/** The part of the connection of `pg` that sends a statement. */
interface Wire {
  parse(what: { text: string }): void
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
}

/**
 * Runs statements on a client, one after the other. With `columns`, the columns of a named statement are asked for only once. Once
 * they are known, the statements are one request: if one of them fails, those behind it do not begin. Before the last one, a
 * statement without a name is a single command that returns no rows.
 */
export type Ask = (client: pg.Client, asked: readonly Asked[], columns: KnownColumns) => void

/** Queries of `pg` whose rows are arrays, without the costs of its own queries beside the request. */
export function askBy({ Query }: typeof pg, parserOf: (type: number) => ColumnParser): Ask {
  const Base = Query as unknown as new (text: string) => QueryOfPg

  class ArrayQuery extends Base {
    readonly #asked: readonly Asked[]
    readonly #told: Told
    readonly #answers: Answer[] = []
    #rows: Row[] = []
    #parsers: readonly ColumnParser[] = []
    #failure: { readonly error: unknown } | null = null

    constructor(asked: readonly Asked[], told: Told) {
      const [{ statement, values }] = asked as readonly [Asked]
      super(statement.text)
      // By the name, the client notes what the server has prepared.
      this.name = asked.length === 1 ? statement.name : undefined
      this.values = values
      this.callback = (error) => this.handleError(error)
      this.#asked = asked
      this.#told = told
    }

    override submit(wire: Wire): Error | null {
      if (this.#asked.length === 1 && this.#known() === undefined) return super.submit(wire)
      for (const {
        statement: { name, text },
        values,
      } of this.#asked) {
        if (name === undefined) wire.parse({ text })
        wire.bind({ statement: name ?? '', values, valueMapper: wireValue })
        wire.execute()
      }
      wire.sync()
      this.#begin()
      return null
    }

    /** The parsers of the statement whose answer comes next. */
    #known(): readonly ColumnParser[] | undefined {
      const { name } = this.#asked[this.#answers.length]!.statement
      return name === undefined ? undefined : this.#told.columns.get(name)
    }

    #begin(): void {
      this.#rows = []
      this.#parsers = this.#known() ?? []
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
      const answer = { rows: this.#rows, tag: text }
      // The server describes no columns of a statement without any.
      if (this.name !== undefined && this.#parsers.length === 0) this.#told.columns.set(this.name, [])
      // One that has no name may be several, and has the answer of the last.
      if (this.#asked.length === 1) this.#answers[0] = answer
      else if (this.#answers.push(answer) < this.#asked.length) this.#begin()
    }

    handleEmptyQuery(): void {}

    handleReadyForQuery(): void {
      for (const [place, { resolve, reject }] of this.#asked.entries()) {
        if (this.#failure === null) resolve(this.#answers[place] ?? nothing)
        else reject(this.#failure.error)
      }
    }

    handleError(error: unknown): void {
      // What fails when all is carried out is its end, which is with the last.
      const failed = Math.min(this.#answers.length, this.#asked.length - 1)
      for (const [place, { resolve, reject }] of this.#asked.entries()) {
        if (place < failed) resolve(this.#answers[place]!)
        else reject(error)
      }
    }
  }

  return (client, asked, columns) => {
    const send = (some: readonly Asked[]) =>
      client.query(new ArrayQuery(some, { columns, parserOf }) as unknown as pg.Submittable)
    const isKnown = ({ statement: { name } }: Asked) => name !== undefined && columns.has(name)
    const isCommand = ({ statement: { name }, values }: Asked) => name === undefined && values.length === 0
    if (isKnown(asked.at(-1)!) && asked.every((one) => isKnown(one) || isCommand(one))) send(asked)
    else for (const one of asked) send([one])
  }
}

/** The answer to an empty text. */
const nothing: Answer = { rows: [], tag: '' }

/** A parameter as it is sent: bytes unchanged, anything else as text. */
function wireValue(value: unknown): string | Buffer | null {
  if (value === null || typeof value === 'string') return value
  if (value instanceof Buffer) return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return String(value)
}
