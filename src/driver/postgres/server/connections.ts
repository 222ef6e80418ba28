// The connections of a database are one pool: waiting, serving, losing and opening connections share one state.
import { DatabaseBusyError, DatabaseClosedError } from '../../../contract/errors.ts'
import { clock } from '../../../time/clock.ts'
import type { SessionUse } from '../../driver.ts'
import type { Connection } from './connection.ts'
import type { Row, Statement } from './statement.types.ts'

/** A read waits behind a write only if there is no other connection. */
const behindWrite = Number.MAX_SAFE_INTEGER
/** How many short statements may wait behind each other before another connection is opened. */
const mostQueued = 4
/** How many milliseconds until a waiting call checks again whether a connection is still being opened. */
const longestLook = 50

/** Who leases a connection: sessions, held by a user or a call, or something that ends soon. */
export type LeaseUse = SessionUse | 'short'

/** What a short statement does. A write may wait for a lock, and everything sent after it waits with it. */
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
 * The connections to a server. Short statements share them, many in a row without waiting for answers. A statement that may take
 * long has a connection of its own, and so has a transaction.
 */
export class Connections {
  readonly #connect: (isWanted: () => boolean) => Promise<Connection>
  readonly #options: PoolOptions
  readonly #open = new Set<Connection>()
  /** The leased connections, and who leases them. */
  readonly #leased = new Map<Connection, LeaseUse>()
  /** How many short writes are running on each. */
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

  /** Runs a short statement in its own transaction. */
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
   * Leases a connection, which nobody else uses until it is given back. Rejects with DatabaseBusyError if all are in use for long.
   * Sessions cannot lease all of them, because committing in a session takes another one.
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

  /** Ends idle connections, so that new ones are opened: the address may belong to another server by now. */
  renew(): void {
    for (const connection of [...this.#open]) {
      if (connection.running === 0 && !this.#leased.has(connection)) connection.discard()
    }
  }

  /**
   * Ends all connections once their statements are done, or once a silent server was given enough time; open transactions are
   * rolled back.
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
    // The server's last word may have come in one message with an answer.
    if (connection.isLost) return
    this.#open.add(connection)
    connection.onIdle = () => this.#serve()
    connection.onEnd = () => {
      this.#open.delete(connection)
      this.#leased.delete(connection)
      // Others that were silent for as long are also lost, and would find out one by one.
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
      // Opening a connection may take its time.
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

  /** Gives free connections to waiting calls. */
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
    // A waiting call may need a connection that was lost.
    const wanting = this.#waiting.filter(({ use }) => this.#mayLease(use)).length
    if (wanting > this.#opening && this.#mayOpen && !this.#closed) this.#openForWaiting()
  }

  #openForWaiting(): void {
    const began = clock()
    const failed = (error: unknown) => {
      // If there are other connections, one of them becomes free. Calls that came after this attempt began wait for the next one.
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
