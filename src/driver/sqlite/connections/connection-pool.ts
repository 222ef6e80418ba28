import { DatabaseClosedError } from '../../../contract/errors.ts'
import type { HotRows } from '../reads/hot-rows.ts'
import { endMoment } from '../reads/moment.ts'
import { passOverDamage } from '../rows/damaged-rows.ts'
import type { PooledConnection } from './pooled-connection.ts'

/** How many idle connections to keep. */
const mostIdle = 4

/**
 * The connections of a database. All are alike. A call uses the one that was used last, whose pages are in memory; a snapshot takes
 * it from the others until it ends.
 */
export class ConnectionPool {
  readonly #connect: () => PooledConnection
  readonly #idle: PooledConnection[]
  readonly #taken = new Set<PooledConnection>()
  readonly #onClose: () => void
  #closed = false

  constructor(first: PooledConnection, connect: () => PooledConnection, onClose: () => void) {
    this.#idle = [first]
    this.#connect = connect
    this.#onClose = onClose
  }

  get open(): boolean {
    return !this.#closed
  }

  /** The connection for a call that runs without a pause. */
  get top(): PooledConnection {
    endMoment()
    return this.#top
  }

  /** The rows that the top connection keeps in memory. */
  get hot(): HotRows {
    return this.#top.hot
  }

  get #top(): PooledConnection {
    if (this.#closed) throw new DatabaseClosedError()
    let top = this.#idle.at(-1)
    if (top === undefined) {
      top = this.#connect()
      this.#idle.push(top)
    }
    return top
  }

  /** Closes that connection; the next call opens another. */
  renew(): void {
    this.#idle.pop()?.close()
  }

  /** A connection for longer, until it is given back. */
  take(): PooledConnection {
    const taken = this.top
    this.#idle.pop()
    this.#taken.add(taken)
    return taken
  }

  giveBack(connection: PooledConnection): void {
    if (!this.#taken.delete(connection)) return
    if (this.#idle.length < mostIdle) this.#idle.push(connection)
    else connection.close()
  }

  /** Works without a pause on a connection of its own that can write damaged rows. */
  passingOverDamage<T>(work: (connection: PooledConnection) => T): T {
    const connection = this.#connect()
    try {
      passOverDamage(connection.database)
      return work(connection)
    } finally {
      connection.close()
    }
  }

  /** Gives out no more connections. */
  end(): void {
    this.#closed = true
  }

  close(): void {
    this.end()
    for (const connection of [...this.#taken, ...this.#idle]) connection.close()
    this.#taken.clear()
    this.#idle.length = 0
    this.#onClose()
  }
}
