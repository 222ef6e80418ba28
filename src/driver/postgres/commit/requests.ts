import { setTimeout as delay } from 'node:timers/promises'
import { DatabaseClosedError, StorageError } from '../../../contract/errors.ts'
import { clock } from '../../../time/clock.ts'
import type { Row, RunStatement, Statement } from '../server/connection.ts'
import type { Connections } from '../server/connections.ts'
import { ConnectionLost, isPassing, sqlState, toKvError } from '../server/server-error.ts'
import { wrongIsolation } from '../tables/commit-function.ts'

/** Milliseconds before a request is made again whose connection was lost: the first time, and at the most. */
const shortestPause = 5
const longestPause = 500

interface RequestOptions {
  readonly busyTimeout: number
  readonly connectTimeout: number
}

/** What is asked of a server, over whichever of its connections. */
export class Requests {
  readonly #connections: Connections
  readonly #options: RequestOptions
  /** Whether a statement that writes has to say the level of isolation: the server's default is another one, and a pooler forgets ours. */
  #sayIsolation = false

  constructor(connections: Connections, options: RequestOptions) {
    this.#connections = connections
    this.#options = options
  }

  /** Runs a statement that takes next to no time. */
  readonly run: RunStatement = (statement, values) => this.#connections.run(statement, values)

  /** Runs a statement that may take long. */
  readonly runLong: RunStatement = (statement, values) => this.#connections.runLong(statement, values)

  /** Runs a statement that writes, in a transaction of its own at the level that a commit needs. */
  readonly write: RunStatement = async (statement, values) => {
    if (!this.#sayIsolation) {
      try {
        return await this.run(statement, values)
      } catch (error) {
        if (sqlState(error) !== wrongIsolation) throw error
        this.#sayIsolation = true
      }
    }
    return this.#writeAtLevel(statement, values)
  }

  /** Reads that are sent all at once, of one state. */
  ofOneState<T>(read: (run: RunStatement) => Promise<T>): Promise<T> {
    return this.#connections.withOne(async (connection) => {
      const begun = connection.execute('begin isolation level repeatable read read only')
      const found = read((statement, values) => connection.run(statement, values))
      const [first, second] = await Promise.allSettled([begun, found, connection.execute('commit')])
      if (first.status === 'rejected') throw first.reason
      if (second.status === 'rejected') throw second.reason
      return second.value
    })
  }

  /** Makes a request again where its connection was lost, or where others were in its way, until `connectTimeout` is over. */
  async again<T>(request: () => Promise<T>): Promise<T> {
    const began = clock()
    for (let pause = shortestPause; ; pause = Math.min(2 * pause, longestPause)) {
      this.#connections.assertOpen()
      try {
        return await request()
      } catch (error) {
        const isOver = clock() - began >= this.#options.connectTimeout
        if (isOver || !(error instanceof ConnectionLost || isPassing(error))) throw this.toKvError(error)
      }
      await delay(pause * (0.5 + Math.random() / 2))
    }
  }

  /** The error to report for one that a request has ended with. */
  toKvError(error: unknown): unknown {
    if (this.#connections.isClosed && error instanceof ConnectionLost) return new DatabaseClosedError()
    return toKvError(error, this.#options.busyTimeout)
  }

  #writeAtLevel(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    return this.#connections.withOne(async (connection) => {
      const [begun, rows, committed] = await Promise.allSettled([
        connection.execute('begin isolation level read committed'),
        connection.run(statement, values),
        connection.commit(),
      ])
      if (begun.status === 'rejected') throw begun.reason
      if (rows.status === 'rejected') throw rows.reason
      if (committed.status === 'rejected') throw committed.reason
      // A commit of a transaction that has failed is answered too, as undone.
      if (!committed.value) throw new StorageError('40000', 'The server has undone the transaction')
      return rows.value
    })
  }
}
