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
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/** A statement that is sent with others, and what becomes of it. */
export interface JoinedStatement {
  /** Named and known to the connection, or without columns. */
  readonly statement: Statement
  readonly values: readonly unknown[]
  readonly parsers: readonly ColumnParser[]
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/** How statements are run on a client. */
export interface Ask {
  /** With `columns`, the columns of a named statement are asked for only once. */
  one(
    client: pg.Client,
    statement: Statement,
    values: readonly unknown[],
    columns: KnownColumns,
  ): Promise<Answer>
  /**
   * Several with one Sync: the server sends all answers at once, which saves it and this process the work of a message for each. If
   * one fails, the server skips the others: they are rejected with what `behind` makes of its error.
   */
  joined(client: pg.Client, statements: readonly JoinedStatement[], behind: (error: unknown) => unknown): void
}

/** Queries of `pg` whose rows are arrays, without the costs of its own queries beside the request. */
export function askBy({ Query }: typeof pg, parserOf: (type: number) => ColumnParser): Ask {
  const Base = Query as unknown as new (text: string) => QueryOfPg

  class ArrayQuery extends Base {
    readonly #told: Told
    readonly #answer = new AnswerReader()

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
      this.#answer.parsers = known
      wire.bind({ statement: this.name!, values: this.values, valueMapper: wireValue })
      wire.execute()
      wire.sync()
      return null
    }

    handleRowDescription({ fields }: { readonly fields: readonly { readonly dataTypeID: number }[] }): void {
      this.#answer.parsers = fields.map(({ dataTypeID }) => parserOf(dataTypeID))
    }

    handleDataRow({ fields }: DataRow): void {
      this.#answer.read(fields)
    }

    handleCommandComplete({ text }: { readonly text: string }): void {
      this.#answer.tag = text
    }

    handleEmptyQuery(): void {}

    handleReadyForQuery(): void {
      if (this.name !== undefined) this.#told.columns.set(this.name, this.#answer.parsers)
      this.#answer.settle(this.#told)
    }

    handleError(error: unknown): void {
      this.#told.reject(error)
    }
  }

  class JointQuery extends Base {
    readonly #statements: readonly JoinedStatement[]
    readonly #behind: (error: unknown) => unknown
    readonly #answers: AnswerReader[] = []
    #answer: AnswerReader

    constructor(statements: readonly JoinedStatement[], behind: (error: unknown) => unknown) {
      super('')
      this.callback = (error) => this.handleError(error)
      this.#statements = statements
      this.#behind = behind
      this.#answer = new AnswerReader(statements[0]!.parsers)
    }

    override submit(wire: Wire): Error | null {
      for (const { statement, values } of this.#statements) {
        const { name = '', text } = statement
        if (name === '') wire.parse({ text })
        wire.bind({ statement: name, values, valueMapper: wireValue })
        wire.execute()
      }
      wire.sync()
      return null
    }

    handleDataRow({ fields }: DataRow): void {
      this.#answer.read(fields)
    }

    handleCommandComplete({ text }: { readonly text: string }): void {
      this.#answer.tag = text
      this.#answers.push(this.#answer)
      this.#answer = new AnswerReader(this.#statements[this.#answers.length]?.parsers)
    }

    /** Not before: what they have changed is committed here, if they are in no transaction. */
    handleReadyForQuery(): void {
      for (const [place, answer] of this.#answers.entries()) answer.settle(this.#statements[place]!)
    }

    handleError(error: unknown): void {
      // After the last answer, it is the commit that has failed.
      const failed = Math.min(this.#answers.length, this.#statements.length - 1)
      for (const [place, statement] of this.#statements.entries()) {
        if (place < failed) this.#answers[place]!.settle(statement)
        else statement.reject(place === failed ? error : this.#behind(error))
      }
    }
  }

  return {
    one: (client, statement, values, columns) =>
      new Promise((resolve, reject) => {
        const query = new ArrayQuery(statement, values, { columns, parserOf, resolve, reject })
        client.query(query as unknown as pg.Submittable)
      }),
    joined(client, statements, behind) {
      client.query(new JointQuery(statements, behind) as unknown as pg.Submittable)
    },
  }
}

interface DataRow {
  readonly fields: readonly (string | null)[]
}

/** Reads the rows of one statement. */
class AnswerReader {
  readonly #rows: Row[] = []
  parsers: readonly ColumnParser[]
  tag = ''
  #failure: { readonly error: unknown } | null = null

  constructor(parsers: readonly ColumnParser[] = []) {
    this.parsers = parsers
  }

  read(fields: readonly (string | null)[]): void {
    try {
      this.#rows.push(fields.map((text, place) => (text === null ? null : this.parsers[place]!(text))))
    } catch (error) {
      this.#failure ??= { error }
    }
  }

  settle({ resolve, reject }: Pick<JoinedStatement, 'resolve' | 'reject'>): void {
    if (this.#failure !== null) reject(this.#failure.error)
    else resolve({ rows: this.#rows, tag: this.tag })
  }
}

/** A parameter as it is sent: bytes unchanged, anything else as text. */
function wireValue(value: unknown): string | Buffer | null {
  if (value === null || typeof value === 'string') return value
  if (value instanceof Buffer) return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return String(value)
}
