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

/** The error of a statement that failed. */
export interface Refusal {
  readonly error: unknown
  /** Whether the statement was a transaction of its own. */
  readonly isAlone: boolean
}

export type Outcome = Answer | Refusal

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
  readonly settle: (outcome: Outcome) => void
  /** Whether no transaction is open on the server, as far as it has answered. */
  readonly isIdle: () => boolean
}

/** A statement that is sent with others, and what becomes of it. */
export interface JoinedStatement {
  /** Named and known to the connection, or without columns. */
  readonly statement: Statement
  readonly values: readonly unknown[]
  readonly parsers: readonly ColumnParser[]
  readonly isAlone: boolean
  /** If it fails, the server skips those behind it: makes their error from its error. */
  readonly behind: (error: unknown) => unknown
  readonly settle: (outcome: Outcome) => void
}

/** How statements are run on a client. */
export interface Ask {
  /** The columns of a named statement are asked for only once, and then kept in `columns`. */
  one(
    client: pg.Client,
    statement: Statement,
    values: readonly unknown[],
    columns: KnownColumns,
  ): Promise<Outcome>
  /** Several with one Sync: the server sends all answers at once, which saves it and this process the work of a message for each. */
  joined(client: pg.Client, statements: readonly JoinedStatement[]): void
}

/** Queries of `pg` whose rows are arrays, without the costs of its own queries beside the request. */
export function askBy({ Query }: typeof pg, parserOf: (type: number) => ColumnParser): Ask {
  const Base = Query as unknown as new (text: string) => QueryOfPg

  class ArrayQuery extends Base {
    readonly #told: Told
    readonly #answer = new AnswerReader()
    #hasFailed = false

    constructor({ name, text }: Statement, values: readonly unknown[], told: Told) {
      super(text)
      this.name = name
      this.values = values
      this.callback = (error) => this.handleError(error)
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
      if (this.#hasFailed) return
      // A command is known, too: it has no columns.
      if (this.name !== undefined) this.#told.columns.set(this.name, this.#answer.parsers)
      this.#told.settle(this.#answer.outcome(false))
    }

    handleError(error: unknown): void {
      this.#hasFailed = true
      this.#told.settle({ error, isAlone: this.#told.isIdle() })
    }
  }

  class JointQuery extends Base {
    readonly #statements: readonly JoinedStatement[]
    readonly #answers: AnswerReader[] = []
    #answer: AnswerReader
    /** Why a statement could not be sent, and with it those behind it. */
    #unsent: unknown

    constructor(statements: readonly JoinedStatement[]) {
      super('')
      this.callback = (error) => this.handleError(error)
      this.#statements = statements
      this.#answer = new AnswerReader(statements[0]!.parsers)
    }

    override submit(wire: Wire): Error | null {
      try {
        for (const { statement, values } of this.#statements) {
          const { name = '', text } = statement
          if (name === '') wire.parse({ text })
          wire.bind({ statement: name, values, valueMapper: wireValue })
          wire.execute()
        }
      } catch (error) {
        this.#unsent = error
      }
      // In any case: the server answers what was sent before.
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
      this.#settle(this.#answers.length, this.#unsent)
    }

    handleError(error: unknown): void {
      // After the last answer, it is the commit that has failed.
      this.#settle(Math.min(this.#answers.length, this.#statements.length - 1), error)
    }

    #settle(failed: number, error: unknown): void {
      for (const [place, { isAlone, settle }] of this.#statements.entries()) {
        if (place < failed) settle(this.#answers[place]!.outcome(isAlone))
        else settle({ error: place === failed ? error : this.#statements[failed]!.behind(error), isAlone })
      }
    }
  }

  return {
    one: (client, statement, values, columns) =>
      new Promise((settle) => {
        // When an error arrives, this is still as it was before the statement.
        const isIdle = () => client.getTransactionStatus() === 'I'
        const query = new ArrayQuery(statement, values, { columns, parserOf, settle, isIdle })
        try {
          client.query(query as unknown as pg.Submittable)
        } catch (error) {
          // It could not be sent.
          settle({ error, isAlone: false })
        }
      }),
    joined(client, statements) {
      client.query(new JointQuery(statements) as unknown as pg.Submittable)
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

  outcome(isAlone: boolean): Outcome {
    if (this.#failure !== null) return { error: this.#failure.error, isAlone }
    return { rows: this.#rows, tag: this.tag }
  }
}

/** A parameter as it is sent: bytes unchanged, anything else as text. */
function wireValue(value: unknown): string | Buffer | null {
  if (value === null || typeof value === 'string') return value
  if (value instanceof Buffer) return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return String(value)
}
