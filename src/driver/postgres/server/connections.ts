// The connections of a database are one pool: who waits, who is served, who is lost and when one is opened are one state.
import { DatabaseBusyError, DatabaseClosedError } from '../../../contract/errors.ts'
import { clock } from '../../../time/clock.ts'
import type { SessionUse } from '../../driver.ts'
import type { Connection } from './connection.ts'
import type { Row, Statement } from './statement.types.ts'

/** A read goes behind a write only where there is no other connection. */
const behindWrite = Number.MAX_SAFE_INTEGER
/** So many short statements may wait behind each other before a further connection is opened. */
const mostQueued = 4
/** Milliseconds after which who waits looks again whether a connection is still being opened. */
const longestLook = 50

/** Who keeps a connection: sessions, which a user or a call holds open, or what ends by itself. */
export type LeaseUse = SessionUse | 'short'

/** What a short statement does. One that writes may wait for a lock, and whatever was sent behind it waits with it. */
export type ShortUse = 'read' | 'write'

interface Waiting {
  readonly use: LeaseUse
  readonly since: number
  readonly resolve: (connection: Connection) => void
  readonly reject: (error: unknown) => void
}

interface PoolOptions {
  readonly connections: number
  readonly busyTimeout: number
  readonly connectTimeout: number
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
  /** How many short statements that write are running on each. */
  readonly #writing = new Map<Connection, number>()
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
  async run(statement: Statement, values: readonly unknown[], use: ShortUse = 'read'): Promise<Row[]> {
    this.assertOpen()
    const shared = this.#leastBusy(use)
    if (shared === null) return this.runLong(statement, values)
    const isBehindWrite = use === 'read' && this.#writing.has(shared)
    if ((shared.running >= mostQueued || (isBehindWrite && this.#opening === 0)) && this.#mayOpen)
      this.#openFurther()
    return use === 'read' ? shared.run(statement, values) : this.#write(shared, statement, values)
  }

  async #write(connection: Connection, statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    this.#writing.set(connection, (this.#writing.get(connection) ?? 0) + 1)
    try {
      return await connection.run(statement, values)
    } finally {
      const left = this.#writing.get(connection)! - 1
      if (left > 0) this.#writing.set(connection, left)
      else this.#writing.delete(connection)
    }
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
    const waiting = this.#wait(use)
    if (this.#mayLease(use) && this.#mayOpen) this.#openForWaiting()
    return waiting
  }

  giveBack(connection: Connection): void {
    this.#leased.delete(connection)
    this.#serve()
  }

  /** Ends those on which nothing is running, so that new ones are made: the server at the address may be another one by now. */
  renew(): void {
    for (const connection of [...this.#open]) {
      if (connection.running === 0 && !this.#leased.has(connection)) connection.discard()
    }
  }

  /**
   * Ends all once what is running on them is done, or a server that does not answer was waited for; a transaction that is open is undone.
   */
  async end(): Promise<void> {
    this.#closed = true
    for (const { reject } of this.#waiting.splice(0)) reject(new DatabaseClosedError())
    const ending = [...this.#open]
    const cut = setTimeout(() => {
      for (const connection of ending) connection.discard()
    }, this.#options.connectTimeout)
    await Promise.all(ending.map((connection) => connection.end()))
    clearTimeout(cut)
  }

  #leastBusy(use: ShortUse): Connection | null {
    let best: Connection | null = null
    let least = Number.POSITIVE_INFINITY
    for (const connection of this.#open) {
      if (this.#leased.has(connection)) continue
      const before = use === 'read' && this.#writing.has(connection) ? behindWrite : connection.running
      if (before >= least) continue
      best = connection
      least = before
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
    const { connections } = this.#options
    const uses = [...this.#leased.values()]
    const held = uses.filter((it) => it === 'held').length
    const calls = uses.filter((it) => it === 'call').length
    return held + calls < connections - 1 && (use === 'call' || held < connections - 2)
  }

  get #mayOpen(): boolean {
    return this.#open.size + this.#opening < this.#options.connections
  }

  async #openOne(): Promise<void> {
    this.#opening += 1
    try {
      const connection = await this.#connect(() => !this.#closed)
      if (this.#closed) connection.discard()
      else this.#add(connection)
    } finally {
      this.#opening -= 1
    }
  }

  #add(connection: Connection): void {
    this.#open.add(connection)
    connection.onIdle = () => this.#serve()
    connection.onEnd = () => {
      this.#open.delete(connection)
      this.#leased.delete(connection)
      // What was silent as long is as lost, and would find that out one by one.
      if (connection.wasSilent) this.renew()
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
      // A connection that is being opened takes its time.
      const look = () => {
        const isOver = clock() - began >= this.#options.busyTimeout + this.#options.connectTimeout
        if (this.#opening === 0 || isOver) giveUp()
        else timer = setTimeout(look, longestLook)
      }
      let timer = setTimeout(look, this.#options.busyTimeout)
      const settled = <T>(settle: (value: T) => void) => {
        return (value: T) => {
          clearTimeout(timer)
          settle(value)
        }
      }
      const waiting: Waiting = { use, since: began, resolve: settled(resolve), reject: settled(reject) }
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
    const began = clock()
    const failed = (error: unknown) => {
      // Where there are others, one of them becomes free. Who came later than this was begun waits for another attempt.
      if (this.#open.size > 0) return
      const given = this.#waiting.filter(({ since }) => since <= began)
      for (const waiting of given) {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        waiting.reject(error)
      }
    }
    this.#openOne()
      .catch(failed)
      .then(() => this.#serve())
  }

  #openFurther(): void {
    this.#openOne().then(
      () => this.#serve(),
      () => {},
    )
  }
}
