import { DatabaseBusyError, DatabaseClosedError } from '../../../contract/errors.ts'
import { clock } from '../../../time/clock.ts'
import type { SessionUse } from '../../driver.ts'
import type { Connection, Row, Statement } from './connection.ts'

/** So many short statements may wait behind each other before a further connection is opened. */
const mostQueued = 4
/** Milliseconds after which who waits looks again whether a connection is still being opened. */
const longestLook = 50

/** Who keeps a connection: sessions, which a user or a call holds open, or what ends by itself. */
export type LeaseUse = SessionUse | 'short'

interface Waiting {
  readonly use: LeaseUse
  readonly resolve: (connection: Connection) => void
  readonly reject: (error: unknown) => void
}

interface PoolOptions {
  readonly poolSize: number
  readonly busyTimeout: number
}

/**
 * The connections to a server. Short statements share them, many in a row without waiting for answers; one that may take long has one
 * for itself, as has a transaction.
 */
export class Connections {
  readonly #connect: (isWanted: () => boolean) => Promise<Connection>
  readonly #options: PoolOptions
  readonly #open = new Set<Connection>()
  /** Those of which somebody has the sole use. */
  readonly #leased = new Map<Connection, LeaseUse>()
  readonly #waiting: Waiting[] = []
  #opening = 0
  #closed = false

  constructor(
    first: Connection,
    connect: (isWanted: () => boolean) => Promise<Connection>,
    options: PoolOptions,
  ) {
    this.#connect = connect
    this.#options = options
    this.#add(first)
  }

  assertOpen(): void {
    if (this.#closed) throw new DatabaseClosedError()
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Runs a short statement, whose transaction is its own. */
  async run(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    this.assertOpen()
    const shared = this.#leastBusy()
    if (shared === null) return this.runLong(statement, values)
    if (shared.running >= mostQueued && this.#mayOpen) this.#openOne().catch(() => {})
    return shared.run(statement, values)
  }

  /** Runs a statement that may take long. */
  runLong(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    return this.withOne((connection) => connection.run(statement, values))
  }

  /** Works on a connection that nobody else uses meanwhile. */
  async withOne<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.lease('short')
    try {
      return await work(connection)
    } finally {
      this.giveBack(connection)
    }
  }

  /**
   * A connection that nobody else uses until it is given back. Rejects with DatabaseBusyError if all are in use for long. What a session
   * commits needs one besides its own, so that not all are for sessions.
   */
  async lease(use: LeaseUse): Promise<Connection> {
    this.assertOpen()
    const free = this.#mayLease(use) ? this.#free() : undefined
    if (free !== undefined) {
      this.#leased.set(free, use)
      return free
    }
    if (this.#mayLease(use) && this.#mayOpen) this.#openForWaiting()
    return this.#wait(use)
  }

  giveBack(connection: Connection): void {
    this.#leased.delete(connection)
    this.#serve()
  }

  /** Ends all once what is running on them is done; a transaction that is open is undone. */
  async end(): Promise<void> {
    this.#closed = true
    for (const { reject } of this.#waiting.splice(0)) reject(new DatabaseClosedError())
    await Promise.all([...this.#open].map((connection) => connection.end()))
  }

  #leastBusy(): Connection | null {
    let best: Connection | null = null
    for (const connection of this.#open) {
      if (this.#leased.has(connection)) continue
      if (best === null || connection.running < best.running) best = connection
    }
    return best
  }

  #free(): Connection | undefined {
    for (const connection of this.#open) {
      if (connection.running === 0 && !this.#leased.has(connection)) return connection
    }
    return undefined
  }

  #mayLease(use: LeaseUse): boolean {
    if (use === 'short') return true
    const { poolSize } = this.#options
    const uses = [...this.#leased.values()]
    const held = uses.filter((it) => it === 'held').length
    const calls = uses.filter((it) => it === 'call').length
    return held + calls < poolSize - 1 && (use === 'call' || held < poolSize - 2)
  }

  get #mayOpen(): boolean {
    return this.#open.size + this.#opening < this.#options.poolSize
  }

  async #openOne(): Promise<void> {
    this.#opening += 1
    try {
      const connection = await this.#connect(() => !this.#closed)
      if (this.#closed) connection.discard()
      else this.#add(connection)
    } finally {
      this.#opening -= 1
      this.#serve()
    }
  }

  #add(connection: Connection): void {
    this.#open.add(connection)
    connection.onIdle = () => this.#serve()
    connection.onEnd = () => {
      this.#open.delete(connection)
      this.#leased.delete(connection)
      this.#serve()
    }
  }

  #wait(use: LeaseUse): Promise<Connection> {
    const began = clock()
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        reject(new DatabaseBusyError(Math.round(clock() - began)))
      }
      // A connection that is being opened takes its time, and says by itself when it gives up.
      const look = () => {
        if (this.#opening === 0) giveUp()
        else timer = setTimeout(look, longestLook)
      }
      let timer = setTimeout(look, this.#options.busyTimeout)
      const settled = <T>(settle: (value: T) => void) => {
        return (value: T) => {
          clearTimeout(timer)
          settle(value)
        }
      }
      const waiting: Waiting = { use, resolve: settled(resolve), reject: settled(reject) }
      this.#waiting.push(waiting)
    })
  }

  /** Gives connections that are free to those who wait. */
  #serve(): void {
    for (let at = 0; at < this.#waiting.length; ) {
      const { use, resolve } = this.#waiting[at]!
      if (!this.#mayLease(use)) {
        at += 1
        continue
      }
      const free = this.#free()
      if (free === undefined) break
      this.#leased.set(free, use)
      this.#waiting.splice(at, 1)
      resolve(free)
    }
    // One may have been lost that somebody waits for.
    const wanting = this.#waiting.filter(({ use }) => this.#mayLease(use)).length
    if (wanting > this.#opening && this.#mayOpen && !this.#closed) this.#openForWaiting()
  }

  #openForWaiting(): void {
    this.#openOne().catch((error) => this.#waiting.shift()?.reject(error))
  }
}
