import { DatabaseClosedError, StorageError } from '../../../contract/errors.ts'
import type { Connection } from '../server/connection.ts'
import type { Connections } from '../server/connections.ts'
import {
  ConnectionLost,
  isForgotten,
  isPassing,
  isStandby,
  sqlState,
  toKvError,
} from '../server/server-error.ts'
import type { Row, RunStatement, Statement } from '../server/statement.types.ts'
import { beginReading } from '../server/transaction.ts'
import { wrongIsolation } from '../tables/commit-function.ts'
import { Pauses, repeated } from './pauses.ts'

interface RequestOptions {
  readonly busyTimeout: number
  readonly connectTimeout: number
}

/** Requests to a server, over any of its connections. */
export class Requests {
  readonly #connections: Connections
  readonly #options: RequestOptions
  /** Whether a writing statement must set the isolation level: the server has another default, and a pooler forgets ours. */
  #sayIsolation = false

  constructor(connections: Connections, options: RequestOptions) {
    this.#connections = connections
    this.#options = options
  }

  /** Runs a statement that takes very little time. */
  readonly run: RunStatement = (statement, values) => this.#connections.run(statement, values)

  /** Runs a statement that may take long. */
  readonly runLong: RunStatement = (statement, values) => this.#connections.runLong(statement, values)

  /**
   * Runs a writing statement, in its own transaction, at the isolation level that a commit needs. Waits for a read-only server
   * until `connectTimeout` is over: it may be about to be promoted, or to hand over its address. Runs the statement again if the
   * server has rolled it back in favour of others.
   */
  readonly write: RunStatement = async (statement, values) => {
    const pauses = new Pauses(this.#options.connectTimeout)
    for (;;) {
      try {
        return await this.#write(statement, values)
      } catch (error) {
        const mayPass = isStandby(error) || isPassing(error)
        if (!mayPass || pauses.areOver) throw error
        if (isStandby(error)) this.#connections.renew()
      }
      await pauses.next()
    }
  }

  async #write(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    if (!this.#sayIsolation) {
      try {
        return await this.#connections.run(statement, values, 'write')
      } catch (error) {
        if (sqlState(error) !== wrongIsolation) throw error
        this.#sayIsolation = true
      }
    }
    try {
      return await this.#writeAtLevel(statement, values)
    } catch (error) {
      // The statement had not begun.
      if (!isForgotten(error)) throw error
      return this.#writeAtLevel(statement, values)
    }
  }

  /** Reads that are sent together, and see one state. */
  ofOneState<T>(read: (run: RunStatement) => Promise<T>): Promise<T> {
    return this.#inTransaction(async (connection) => {
      const begun = connection.begin([beginReading])
      const found = read((statement, values) => connection.run(statement, values))
      const [first, second] = await Promise.allSettled([begun, found, connection.execute('commit')])
      if (first.status === 'rejected') throw first.reason
      if (second.status === 'rejected') throw second.reason
      return second.value
    })
  }

  /** Repeats a request if its connection was lost, or if others were in its way, until `connectTimeout` after the first failure. */
  async again<T>(request: () => Promise<T>): Promise<T> {
    const mayPass = (error: unknown) =>
      error instanceof ConnectionLost || isPassing(error) || isForgotten(error)
    const attempt = () => {
      this.#connections.assertOpen()
      return request()
    }
    try {
      return await repeated(attempt, this.#options.connectTimeout, mayPass)
    } catch (error) {
      throw this.toKvError(error)
    }
  }

  /** The error to report when a request has failed. */
  toKvError(error: unknown): unknown {
    if (this.#connections.isClosed && error instanceof ConnectionLost) return new DatabaseClosedError()
    return toKvError(error, this.#options.busyTimeout)
  }

  #writeAtLevel(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    return this.#inTransaction(async (connection) => {
      const [begun, rows, committed] = await Promise.allSettled([
        connection.execute('begin isolation level read committed'),
        connection.run(statement, values),
        connection.commit(),
      ])
      if (begun.status === 'rejected') throw begun.reason
      if (rows.status === 'rejected') throw rows.reason
      if (committed.status === 'rejected') throw committed.reason
      // Committing a failed transaction succeeds, but rolls it back.
      if (!committed.value) throw new StorageError('40000', 'The server has rolled back the transaction')
      return rows.value
    })
  }

  /** Works on a connection of its own. Stops using prepared names if a pooler has forgotten one. */
  #inTransaction<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#connections.withOne(async (connection) => {
      try {
        return await work(connection)
      } catch (error) {
        if (isForgotten(error)) connection.forgetNames()
        throw error
      }
    })
  }
}
