import type { ChangeLog } from '../../../commit/log-format.ts'
import type { DatabaseFile } from '../file/database-file.ts'
import type { Connection } from '../module/sqlite-module.ts'
import type { Statements } from '../rows/statements.ts'

/** The transactions of a connection. Their bodies are synchronous, so none stays open while something is awaited. */
export class Transactions {
  readonly #connection: Connection
  readonly #control: Statements['control']
  readonly #log: ChangeLog
  readonly #file: DatabaseFile | null

  /** `log` collects what a transaction changes, and is emptied on rollback. `file` is `null` for a database in memory. */
  constructor(connection: Connection, { control }: Statements, log: ChangeLog, file: DatabaseFile | null) {
    this.#file = file
    this.#connection = connection
    this.#control = control
    this.#log = log
  }

  /**
   * Runs `body` in a transaction, which is rolled back if it throws. Throws SQLITE_BUSY if others hold the lock, and a StorageError
   * if the file is no longer at its path, because the write would be acknowledged and lost.
   */
  run<T>(begin: 'read' | 'write', body: () => T): T {
    const connection = this.#connection
    const { beginRead, beginWrite, commit, rollback } = this.#control
    ;(begin === 'read' ? beginRead : beginWrite).run()
    try {
      const result = body()
      if (begin === 'write') this.#file?.assertThere()
      commit.run()
      return result
    } catch (error) {
      // The engine may already have rolled back, for example because the disk is full.
      if (connection.inTransaction) rollback.run()
      this.#log.reset()
      throw error
    }
  }
}
