import type { Logger } from 'drizzle-orm/logger'
import type Pg from 'pg'
import { type Answer, type Ask, askBy, type ColumnParser, type Outcome } from './array-query.ts'
import type { OpenClient } from './open-client.types.ts'
import { Outbox } from './outbox.ts'
import { ConnectionLost, isForgotten, isLoss, sqlState } from './server-error.ts'
import type { Row, Statement } from './statement.types.ts'

/** The numbers of the types whose texts stand for something else. */
const parsers: Readonly<Record<number, ColumnParser>> = {
  16: (text) => text === 't',
  20: Number,
  21: Number,
  23: Number,
  26: Number,
  701: Number,
}

const asText = (text: string) => text

/** Runs statements on clients of `pg`: JSON stays text, and a bigint becomes a number, because versions are numbers. */
export function askByNumbers(pg: typeof Pg): Ask {
  const bytes = pg.types.getTypeParser(17, 'text')
  const listOfBytes = pg.types.getTypeParser(1001 as number, 'text')
  return askBy(pg, (type) => (type === 17 ? bytes : type === 1001 ? listOfBytes : (parsers[type] ?? asText)))
}

/** Whether connections to a server keep prepared statements: a pooler may send a name to another server, which does not know it. */
export interface NameKeeping {
  isKept: boolean
}

/** A connection to the server. Statements are sent one after the other, without waiting for answers. */
export class Connection {
  readonly #client: OpenClient
  readonly #outbox: Outbox
  readonly #logger: Logger | undefined
  readonly #names: NameKeeping
  #running = 0
  /** How many of the running statements nobody waits for. */
  #leaving = 0
  #lost = false
  /** The server's message when it ended the connection. */
  #lastWord: unknown
  #isEnding = false
  #wasSilent = false
  onNotification: ((payload: string) => void) | null = null
  onIdle: (() => void) | null = null
  onEnd: (() => void) | null = null

  constructor(client: OpenClient, ask: Ask, names: NameKeeping, logger: Logger | undefined) {
    this.#client = client
    this.#outbox = new Outbox(client, ask)
    this.#names = names
    this.#logger = logger
    const lost = () => {
      if (this.#lost) return
      this.#lost = true
      this.onEnd?.()
    }
    client.on('error', (error) => {
      if (sqlState(error) !== undefined) this.#lastWord = error
      lost()
    })
    client.on('end', lost)
    client.on('notification', ({ payload = '' }) => this.onNotification?.(payload))
    this.#hold()
  }

  get isLost(): boolean {
    return this.#lost
  }

  /** How many statements are running on it that somebody waits for. */
  get running(): number {
    return this.#running - this.#leaving
  }

  /** Whether the server has still to answer a statement. */
  get isAsking(): boolean {
    return this.#running > 0
  }

  /** Whether it was given up because answers stopped coming. */
  get wasSilent(): boolean {
    return this.#wasSilent
  }

  /** How many bytes have come from the server. */
  get received(): number {
    return this.#client.connection.stream.bytesRead
  }

  /** Calls `tell` when an answer is awaited and nothing has moved in either direction for this many milliseconds. */
  onSilence(after: number, tell: () => Promise<void>): void {
    const { stream } = this.#client.connection
    stream.setTimeout(after)
    stream.on('timeout', async () => {
      // The next statement starts the time again.
      if (this.#running === 0) return
      await tell()
      if (!this.#lost) stream.setTimeout(after)
    })
  }

  /** The number of the server's process, according to the server or pooler. */
  get processId(): number | null {
    return this.#client.processID
  }

  /** Runs a statement. Rejects with ConnectionLost, or with the server's error. */
  async run(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    let outcome = await this.#outcome(statement, values)
    // In a transaction, which has failed with it, whoever began it must begin again.
    if ('error' in outcome && isForgotten(outcome.error) && outcome.isAlone) {
      this.forgetNames()
      outcome = await this.#outcome(statement, values)
    }
    return answered(outcome).rows
  }

  /** From now on, nothing is prepared under a name on any connection to this server. */
  forgetNames(): void {
    this.#names.isKept = false
  }

  /** Runs statements without parameters, one after the other. */
  async execute(text: string): Promise<void> {
    answered(await this.#outcome({ text }, []))
  }

  /** Begins a transaction with these statements, which have no parameters. What is requested next is sent with them. */
  async begin(statements: readonly Statement[]): Promise<void> {
    if (!this.#names.isKept) return this.execute(statements.map(({ text }) => text).join('; '))
    this.#outbox.begin()
    const outcomes = await Promise.all(statements.map((statement) => this.#outcome(statement, [])))
    outcomes.forEach(answered)
  }

  /** Commits the open transaction; false if the server rolled it back because a statement has failed. */
  async commit(): Promise<boolean> {
    return answered(await this.#outcome({ text: 'commit' }, [])).tag === 'COMMIT'
  }

  /** Ends a transaction that has only read. Nobody waits for that, so it is sent with the next statement. */
  async leave(): Promise<void> {
    const outcome = await this.#outcome({ text: 'commit' }, [], true)
    // Nobody could use it: its transaction is open, and has failed.
    if ('error' in outcome) this.discard()
    answered(outcome)
  }

  async #outcome(statement: Statement, values: readonly unknown[], leaves = false): Promise<Outcome> {
    const { text } = statement
    this.#logger?.logQuery(text, [...values])
    this.#running += 1
    if (leaves) this.#leaving += 1
    if (this.#running === 1) this.#hold()
    const asked = this.#names.isKept ? statement : { text }
    const outcome = await (leaves ? this.#outbox.leave(asked) : this.#outbox.ask(asked, values))
    const isLost = 'error' in outcome && isLoss(outcome.error)
    if (isLost) this.discard()
    this.#running -= 1
    if (leaves) this.#leaving -= 1
    if (this.#running === 0) {
      this.#hold()
      this.onIdle?.()
    }
    if (!isLost) return outcome
    return { error: new ConnectionLost(this.#lastWord ?? outcome.error), isAlone: outcome.isAlone }
  }

  /** Ends it once its statements are done. */
  async end(): Promise<void> {
    this.#isEnding = true
    this.#outbox.send()
    this.#hold()
    await this.#client.end().catch(() => {})
  }

  /** Ends it at once: running statements are lost. */
  discard(): void {
    if (this.#lost) return
    this.#lost = true
    this.#client.connection.stream.destroy()
    this.onEnd?.()
  }

  /** Ends it because answers stopped coming. */
  giveUp(): void {
    this.#wasSilent = true
    this.discard()
  }

  /** An idle connection does not keep the process alive, but ending one does. */
  #hold(): void {
    // Told so, a socket that is gone would wait for its connection, with one more listener each time.
    if (this.#client.connection.stream.destroyed) return
    if (this.#running > 0 || this.#isEnding) this.#client.ref()
    else this.#client.unref()
  }
}

function answered(outcome: Outcome): Answer {
  if ('error' in outcome) throw outcome.error
  return outcome
}
