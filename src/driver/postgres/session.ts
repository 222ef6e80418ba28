import { SnapshotExpiredError } from '../../contract/errors.ts'
import { keyText } from '../../key/key-text.ts'
import { clock } from '../../time/clock.ts'
import { longestTimer } from '../../time/longest-timer.ts'
import type { Read, ResultOf, Session, SessionState, ShownRow } from '../driver.ts'
import type { Requests } from './commit/requests.ts'
import { performRead, type Reads } from './row-reads.ts'
import { metaRow } from './rows/meta-row.ts'
import type { Statements } from './rows/statements.ts'
import type { Connection } from './server/connection.ts'
import { ConnectionLost, isBehindFailure, isForgotten, isTimedOut, sqlState } from './server/server-error.ts'
import type { Statement } from './server/statement.types.ts'
import { beginReading, command } from './server/transaction.ts'
import type { CatalogGuard } from './tables/catalog-guard.ts'

/** The age at which an open session is reported, and again at twice that age: in milliseconds, or as a share of its timeout. */
const longBy = 10_000
const longShare = 0.1
/** How many milliseconds longer than this process the server waits before it ends a transaction itself. */
const grace = 10_000
/** If a statement fails, its transaction returns to this savepoint, and keeps its state. */
const mark = 'kept'
/** How often a read is repeated that failed because another did. */
const mostAttempts = 8
/** So that the server's longer time fits, too. */
const longestTimeout = longestTimer - grace

/** What begins the transaction of a session. */
export function beginningOf(snapshotTimeout: number): readonly Statement[] {
  const idle = Math.min(snapshotTimeout, longestTimeout) + grace
  return [
    beginReading,
    command(`set local idle_in_transaction_session_timeout = ${idle}`),
    command(`savepoint ${mark}`),
  ]
}

/** How a session gets a connection, and what it must know. */
export interface SessionPort {
  readonly statements: Statements
  readonly reads: Reads
  readonly guard: CatalogGuard
  readonly requests: Requests
  readonly snapshotTimeout: number
  /** By `beginningOf` for this timeout. */
  readonly beginning: readonly Statement[]
  lease(): Promise<Connection>
  giveBack(connection: Connection): void
  began(): void
  ended(): void
}

/** Reads of one state, in a transaction on a connection of its own. The first read begins it. */
export class PostgresSession implements Session {
  readonly #port: SessionPort
  /** By the texts of their keys. */
  readonly #shown = new Map<string, ShownRow>()
  #opening: Promise<Connection> | null = null
  /** While the transaction begins: what is sent behind its beginning, and where, once that is sent. */
  readonly #following: ((connection: Connection) => void)[] = []
  #beginsOn: Connection | null = null
  #connection: Connection | null = null
  #state: SessionState | null = null
  #timer: NodeJS.Timeout | undefined
  #telling: NodeJS.Timeout | undefined
  #began = 0
  #expired: SnapshotExpiredError | null = null
  #over = false
  #isLost = false

  constructor(port: SessionPort) {
    this.#port = port
  }

  async read<R extends Read>(request: R, signal?: AbortSignal): Promise<ResultOf<R>> {
    try {
      const perform = async (connection: Connection) => {
        signal?.throwIfAborted()
        return performRead(this.#port.reads, request, {
          run: (statement, values) => connection.run(statement, values),
          shown: [...this.#shown.values()],
        })
      }
      let first: Promise<ResultOf<R>> | undefined
      // Reads that come before the transaction has begun are sent together with its beginning.
      const connection = await this.#held((begun) => {
        first = perform(begun)
        first.catch(() => {})
      })
      const result = await this.#mended(connection, perform, first)
      this.#port.guard.assertFits(request)
      return result
    } catch (error) {
      throw this.#expired ?? this.#lossOf(error) ?? this.#port.requests.toKvError(error)
    }
  }

  get isLost(): boolean {
    return this.#isLost
  }

  show(rows: readonly ShownRow[]): void {
    for (const row of rows) this.#shown.set(keyText(row.key), row)
  }

  /** How many milliseconds it has been open. */
  get age(): number {
    return Math.trunc(clock() - this.#began)
  }

  async state(): Promise<SessionState> {
    if (this.#state === null) await this.#held()
    return this.#state!
  }

  end(): void {
    this.#over = true
    this.#leave('commit')
  }

  async #held(andThen?: (connection: Connection) => void): Promise<Connection> {
    if (this.#expired !== null) throw this.#expired
    if (this.#over)
      throw new TypeError('The unit of work or the snapshot has ended: await every call inside its function')
    if (this.#connection === null && andThen !== undefined) {
      this.#following.push(andThen)
      if (this.#beginsOn !== null) andThen(this.#beginsOn)
    }
    this.#opening ??= this.#port.requests.again(() => this.#begin())
    try {
      return await this.#opening
    } catch (error) {
      this.#opening = null
      throw error
    } finally {
      this.#following.length = 0
    }
  }

  /** The transaction survives a statement that the server refuses; the statements sent after it are sent again. */
  async #mended<T>(
    connection: Connection,
    perform: (connection: Connection) => Promise<T>,
    first: Promise<T> | undefined,
  ): Promise<T> {
    let attempt = first ?? perform(connection)
    for (let attempts = 1; ; attempts++) {
      try {
        return await attempt
      } catch (error) {
        if (sqlState(error) === undefined) throw error
        const mending = connection.execute(`rollback to savepoint ${mark}`)
        mending.catch(() => {})
        if (!isBehindFailure(error) || attempts === mostAttempts) throw error
        if (isForgotten(error) && attempts > 1) connection.forgetNames()
        attempt = perform(connection)
      }
    }
  }

  /** The error to report if the connection is gone, and with it the state; null if it is not. */
  #lossOf(error: unknown): Error | null {
    if (!(error instanceof ConnectionLost)) return null
    if (isTimedOut(error)) return new SnapshotExpiredError(this.age)
    this.#isLost = true
    return null
  }

  async #begin(): Promise<Connection> {
    const { lease, giveBack, beginning, statements, guard } = this.#port
    const connection = await lease()
    // Its time runs while its first reads do: they are answered with its beginning.
    this.#start(connection)
    try {
      const begun = Promise.allSettled([connection.begin(beginning), connection.run(statements.state)])
      for (const send of this.#following) send(connection)
      this.#beginsOn = connection
      const [began, state] = await begun
      if (began.status === 'rejected') throw began.reason
      if (state.status === 'rejected') throw state.reason
      const [version, catalog, at] = metaRow(state.value[0]) as [number, number, number]
      await guard.saw(catalog, (statement, values) => connection.run(statement, values))
      this.#state = { version, at }
    } catch (error) {
      if (isForgotten(error)) connection.forgetNames()
      this.#stop()
      connection.discard()
      giveBack(connection)
      throw this.#expired ?? error
    } finally {
      this.#beginsOn = null
    }
    this.#connection = connection
    if (this.#over) this.#leave('commit')
    return connection
  }

  #start(connection: Connection): void {
    const snapshotTimeout = Math.min(this.#port.snapshotTimeout, longestTimeout)
    this.#began = clock()
    this.#port.began()
    this.#timer = setTimeout(() => this.#expire(connection), snapshotTimeout).unref()
    this.#tellAfter(Math.min(longBy, snapshotTimeout * longShare))
  }

  #stop(): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#telling)
    this.#port.ended()
  }

  /** The server keeps replaced rows for as long as this session may read them. */
  #tellAfter(age: number): void {
    this.#telling = setTimeout(() => {
      process.emitWarning(
        `A unit of work or a snapshot has been open for ${(this.age / 1000).toFixed(1)} s: until it ends, the server keeps every row replaced since`,
        { type: 'LongSnapshotWarning', detail: JSON.stringify({ age: this.age }) },
      )
      this.#tellAfter(this.age)
    }, age).unref()
  }

  #expire(connection: Connection): void {
    this.#expired = new SnapshotExpiredError(this.age)
    if (this.#connection !== null) this.#leave('discard')
    // While it begins, it gives the connection back itself.
    else connection.discard()
  }

  #leave(how: 'commit' | 'discard'): void {
    const connection = this.#connection
    this.#connection = null
    if (connection === null) return
    this.#stop()
    if (how === 'discard') {
      connection.discard()
      this.#port.giveBack(connection)
      return
    }
    const giveBack = () => this.#port.giveBack(connection)
    const isBusy = connection.running > 0
    const left = connection.leave()
    if (isBusy) left.then(giveBack, giveBack)
    else {
      // The next statement on the connection comes after it.
      left.catch(() => {})
      giveBack()
    }
  }
}
