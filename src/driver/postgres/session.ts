import { clock } from '../../clock.ts'
import { SnapshotExpiredError } from '../../errors.ts'
import { keyText } from '../../key/key-text.ts'
import type { Read, ResultOf, Session, SessionState, ShownRow } from '../driver.ts'
import type { Connection } from './connection.ts'
import { performRead, type Reads } from './row-reads.ts'
import type { Statements } from './statements.ts'

/** How a session comes to a connection, and what it is told of. */
export interface SessionPort {
  readonly statements: Statements
  readonly reads: Reads
  readonly snapshotTimeout: number
  lease(): Promise<Connection>
  giveBack(connection: Connection): void
  toKvError(error: unknown): unknown
}

/** Reads of one state: a transaction that is begun with the first of them, on a connection of its own. */
export class PostgresSession implements Session {
  readonly #port: SessionPort
  /** By the texts of their keys. */
  readonly #shown = new Map<string, ShownRow>()
  #opening: Promise<Connection> | null = null
  #connection: Connection | null = null
  #state: SessionState | null = null
  #timer: NodeJS.Timeout | undefined
  #began = 0
  #expired: SnapshotExpiredError | null = null
  #over = false

  constructor(port: SessionPort) {
    this.#port = port
  }

  async read<R extends Read>(request: R, signal?: AbortSignal): Promise<ResultOf<R>> {
    try {
      const connection = await this.#held()
      signal?.throwIfAborted()
      return await performRead(this.#port.reads, request, {
        run: (statement, values) => connection.run(statement, values),
        shown: [...this.#shown.values()],
      })
    } catch (error) {
      throw this.#expired ?? this.#port.toKvError(error)
    }
  }

  show(rows: readonly ShownRow[]): void {
    for (const row of rows) this.#shown.set(keyText(row.key), row)
  }

  async state(): Promise<SessionState> {
    if (this.#state === null) await this.#held()
    return this.#state!
  }

  end(): void {
    this.#over = true
    this.#leave('commit')
  }

  async #held(): Promise<Connection> {
    if (this.#expired !== null) throw this.#expired
    if (this.#over)
      throw new TypeError('The unit of work or the snapshot is over: await every call inside its function')
    this.#opening ??= this.#begin()
    return this.#opening
  }

  async #begin(): Promise<Connection> {
    const { lease, statements, snapshotTimeout } = this.#port
    const connection = await lease()
    try {
      const [, [row]] = await Promise.all([
        connection.execute(
          `begin isolation level repeatable read read only; set local idle_in_transaction_session_timeout = ${snapshotTimeout + 10_000}`,
        ),
        connection.run(statements.state, []),
      ])
      const [version, , at] = row as [number, number, number]
      this.#state = { version, at }
      this.#connection = connection
      this.#began = clock()
      this.#timer = setTimeout(() => this.#expire(), snapshotTimeout).unref()
      if (this.#over) this.#leave('commit')
      return connection
    } catch (error) {
      this.#opening = null
      connection.discard()
      this.#port.giveBack(connection)
      throw error
    }
  }

  #expire(): void {
    this.#expired = new SnapshotExpiredError(Math.trunc(clock() - this.#began))
    this.#leave('discard')
  }

  #leave(how: 'commit' | 'discard'): void {
    const connection = this.#connection
    this.#connection = null
    clearTimeout(this.#timer)
    if (connection === null) return
    if (how === 'discard') {
      connection.discard()
      this.#port.giveBack(connection)
      return
    }
    const giveBack = () => this.#port.giveBack(connection)
    connection.execute('commit').then(giveBack, giveBack)
  }
}
