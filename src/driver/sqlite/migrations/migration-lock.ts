import { lstatSync, rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { MigrationError } from '../../../contract/errors.ts'
import { kindOf } from '../../file-kind.ts'
import type { MigrationLock } from '../../migration-database.ts'
import { isBusy } from '../file/engine-error.ts'
import { openConnection, withModule } from '../module/open-connection.ts'
import type { Connection } from '../module/sqlite-module.ts'

const msBetweenTries = 50

/**
 * Lets one process at a time run the steps of a database. It is a lock on a file beside the database. The system releases it with
 * the process, so nothing needs cleaning up after kill -9.
 */
export class SqliteMigrationLock implements MigrationLock {
  readonly #file: string
  readonly #connection: Connection

  private constructor(file: string, connection: Connection) {
    this.#file = file
    this.#connection = connection
  }

  /** Waits for the lock, and says so once. Rejects with a MigrationError if something else has its name. */
  static acquire(database: string, onWait: () => void, signal?: AbortSignal): Promise<SqliteMigrationLock> {
    const file = `${database}.migrating`
    return withModule(file, () => SqliteMigrationLock.#acquire(file, onWait, signal))
  }

  static async #acquire(
    file: string,
    onWait: () => void,
    signal: AbortSignal | undefined,
  ): Promise<SqliteMigrationLock> {
    let told = false
    for (;;) {
      signal?.throwIfAborted()
      const connection = locked(file)
      // The previous owner may have removed the file after we opened and before we locked it: then nobody else sees our lock.
      const other = connection && locked(file)
      if (connection !== null && other === null) return new SqliteMigrationLock(file, connection)
      other?.close()
      connection?.close()
      if (!told) onWait()
      told = true
      await delay(msBetweenTries)
    }
  }

  async release(): Promise<void> {
    rmSync(this.#file, { force: true })
    this.#connection.close()
  }
}

/** A connection that locks the file; `null` if another one does. */
function locked(file: string): Connection | null {
  assertLock(file)
  let connection: Connection | undefined
  try {
    connection = openConnection(file, { create: true })
    connection.exec('BEGIN EXCLUSIVE')
    return connection
  } catch (error) {
    connection?.close()
    if (isBusy(error)) return null
    const { message } = error as Error
    throw new MigrationError(`The lock ${file} cannot be taken, so nothing was migrated: ${message}`, {
      cause: error,
    })
  }
}

/** A lock is an empty file. Anything else belongs to somebody else, and must not be removed. */
function assertLock(file: string): void {
  const stats = lstatSync(file, { throwIfNoEntry: false })
  if (stats === undefined || (stats.isFile() && stats.size === 0)) return
  const what = stats.isFile() ? 'a file with something in it' : kindOf(stats)
  throw new MigrationError(
    `${file} is ${what}, but the lock of a migration has to be there: move it away, and run the command again`,
  )
}
