import { setTimeout as delay } from 'node:timers/promises'
import type { MigrationLock } from '../../migration-database.ts'
import { defaultSchema, schemaOf, serverOf } from '../server/address.ts'
import { Connector, loadPg } from '../server/connect.ts'
import type { Connection } from '../server/connection.ts'
import { toKvError } from '../server/server-error.ts'

const msBetweenTries = 50
const connectTimeout = 10_000

/**
 * Lets one process at a time run the steps of a database. The server releases the lock with the connection, so nothing needs
 * cleaning up after kill -9. The lock belongs to a transaction that does nothing else: it holds no rows and does not delay vacuum,
 * and because it is a transaction, a pooler leaves it its connection.
 */
export class PostgresMigrationLock implements MigrationLock {
  readonly #connection: Connection

  private constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Waits for the lock, and says so once. */
  static async acquire(
    address: string,
    onWait: () => void,
    signal?: AbortSignal,
  ): Promise<PostgresMigrationLock> {
    const schema = schemaOf(address) ?? defaultSchema
    const connector = new Connector(await loadPg(address), serverOf(address), { connectTimeout })
    const connection = await connector.first()
    try {
      for (let told = false; ; ) {
        signal?.throwIfAborted()
        if (await isTaken(connection, schema)) return new PostgresMigrationLock(connection)
        if (!told) onWait()
        told = true
        await delay(msBetweenTries)
      }
    } catch (error) {
      connection.discard()
      throw toKvError(error)
    }
  }

  async release(): Promise<void> {
    await this.#connection.end()
  }
}

async function isTaken(connection: Connection, schema: string): Promise<boolean> {
  await connection.execute('begin isolation level read committed')
  const text = 'select pg_try_advisory_xact_lock(hashtextextended($1, 0))'
  const [row] = await connection.run({ text }, [`valkeyrie:migrate:${schema}`])
  if (row![0] === true) {
    // Also ends the previous statement, whose snapshot would make an index that is built concurrently wait.
    await connection.execute('set local idle_in_transaction_session_timeout = 0')
    return true
  }
  await connection.execute('rollback')
  return false
}
