import { setImmediate } from 'node:timers'
import type { Ask, JoinedStatement, KnownColumns, Outcome } from './array-query.ts'
import type { OpenClient } from './open-client.types.ts'
import { ConnectionLost, isLoss, notBegun } from './server-error.ts'
import type { Statement } from './statement.types.ts'

/** Statements that go together, and get their answers together. */
interface Joint {
  readonly statements: JoinedStatement[]
  /** Whether no transaction is open behind them. Then the next statement is a transaction of its own, and the last to join. */
  readonly isOver: boolean
}

/** What a connection sends. Statements requested in one turn go in one write: each write takes time, here and on the server. */
export class Outbox {
  readonly #client: OpenClient
  readonly #ask: Ask
  readonly #columns: KnownColumns = new Map()
  #joint: Joint | null = null
  /** When to send what was requested; null if there is nothing to send. */
  #sends: 'soon' | 'later' | null = null

  constructor(client: OpenClient, ask: Ask) {
    this.#client = client
    this.#ask = ask
  }

  ask(statement: Statement, values: readonly unknown[]): Promise<Outcome> {
    this.#gather('soon')
    const joint = this.#joint
    // Without knowing its columns, nobody can read its answer among others.
    const parsers = this.#columns.get(statement.name ?? '')
    if (joint === null || parsers === undefined) {
      this.#pass()
      return this.#ask.one(this.#client, statement, values, this.#columns)
    }
    return new Promise((settle) => {
      joint.statements.push({ statement, values, parsers, isAlone: joint.isOver, behind, settle })
      if (joint.isOver) this.#pass()
    })
  }

  /** The statements that follow, until they are sent, begin a transaction and are in it: they go together, behind what waits. */
  begin(): void {
    this.#joint = { statements: this.#joint?.statements ?? [], isOver: false }
  }

  /** Ends a transaction with this statement, which is sent with the next one. */
  leave(statement: Statement): Promise<Outcome> {
    this.#gather('later')
    // Not with those before it: if one of them fails, the server skips what is behind.
    this.#pass()
    return new Promise((settle) => {
      // Without its end, the connection is of no use.
      const lost = (error: unknown) => new ConnectionLost(error)
      const ending = { statement, values: [], parsers: [], isAlone: false, behind: lost, settle }
      this.#joint = { statements: [ending], isOver: true }
    })
  }

  /** Sends what was requested. */
  readonly send = (): void => {
    if (this.#sends === null) return
    this.#sends = null
    this.#pass()
    this.#client.connection.stream.uncork()
  }

  /** Passes on what was to go together. */
  #pass(): void {
    const statements = this.#joint?.statements ?? []
    this.#joint = null
    if (statements.length > 0) this.#ask.joined(this.#client, statements)
  }

  #gather(sends: 'soon' | 'later'): void {
    const before = this.#sends
    if (before === null) this.#client.connection.stream.cork()
    if (before === 'soon' || before === sends) return
    this.#sends = sends
    if (sends === 'soon') process.nextTick(this.send)
    else setImmediate(this.send)
  }
}

/** The error of a statement that the server skips after this one. */
function behind(error: unknown): unknown {
  return isLoss(error) ? error : notBegun(error)
}
