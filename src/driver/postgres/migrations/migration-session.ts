import { setTimeout as delay } from 'node:timers/promises'
import { clock } from '../../../time/clock.ts'
import { defaultSchema, schemaOf, serverOf } from '../server/address.ts'
import { Connector, loadPg } from '../server/connect.ts'
import type { Connection } from '../server/connection.ts'
import { ConnectionLost, isBusy, isPassing, toKvError } from '../server/server-error.ts'
import { quoteName } from '../server/sql-text.ts'
import type { RunStatement } from '../server/statement.types.ts'
import { inTransaction } from '../server/transaction.ts'

/** How many milliseconds a call waits for others, and for a lost server. */
const busyTimeout = 30_000
const connectTimeout = 10_000
/**
 * How many milliseconds one attempt waits for a lock, because others queue up behind it. The server needs a second to make its own
 * vacuum give way.
 */
const lockTimeout = 3_000
const pauseBetween = 100
/** How often one call may lose the server. */
const mostLosses = 5

/** A connection of a migration. Work is repeated if the server was lost, so it may run twice. */
export class MigrationSession {
  readonly schema: string
  /** The quoted schema. */
  readonly s: string
  readonly #connector: Connector
  #connection: Connection

  private constructor(schema: string, connector: Connector, connection: Connection) {
    this.schema = schema
    this.s = quoteName(schema)
    this.#connector = connector
    this.#connection = connection
  }

  static async open(address: string): Promise<MigrationSession> {
    // A migration may take any time.
    const options = { connectTimeout, statementTimeout: 0 }
    const connector = new Connector(await loadPg(address), serverOf(address), options)
    return new MigrationSession(schemaOf(address) ?? defaultSchema, connector, await connector.first())
  }

  readonly run: RunStatement = (statement, values) =>
    this.#again((connection) => connection.run(statement, values))

  /** Works outside a transaction, again from the beginning if the server was lost. */
  alone<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#again(work)
  }

  /** Works in a transaction, which is rolled back if `work` returns `false`. */
  async transaction(work: (connection: Connection) => Promise<boolean>): Promise<boolean> {
    return this.#again(async (connection) => {
      try {
        await inTransaction(connection, async () => {
          await connection.execute(
            `set local lock_timeout = ${lockTimeout}; set local idle_in_transaction_session_timeout = 0`,
          )
          if (!(await work(connection))) throw new Undone()
        })
        return true
      } catch (error) {
        if (error instanceof Undone) return false
        throw error
      }
    })
  }

  /** Reads one state of the database. */
  async read<T>(work: (run: RunStatement) => Promise<T>): Promise<T> {
    return this.#again(async (connection) => {
      await connection.execute('begin isolation level repeatable read, read only')
      try {
        return await work((statement, values) => connection.run(statement, values))
      } finally {
        if (!connection.isLost) await connection.execute('rollback')
      }
    })
  }

  end(): Promise<void> {
    return this.#connection.end()
  }

  async #again<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const began = clock()
    for (let losses = 0; ; ) {
      try {
        if (this.#connection.isLost) this.#connection = await this.#connector.again(() => true)
        return await work(this.#connection)
      } catch (error) {
        const waited = Math.round(clock() - began)
        const isLost = error instanceof ConnectionLost
        if (isLost) losses += 1
        const mayPass = isLost ? losses <= mostLosses : isBusy(error) || isPassing(error)
        if (!mayPass || (!isLost && waited >= busyTimeout)) throw toKvError(error, waited)
        await delay(pauseBetween)
      }
    }
  }
}

/** The transaction must be rolled back. */
class Undone extends Error {}
