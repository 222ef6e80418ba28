import { DatabaseClosedError } from '../../../contract/errors.ts'
import type { Backup, BackupOptions } from '../../backup.ts'
import type { ConnectionPool } from '../connections/connection-pool.ts'
import type { DatabaseFile } from '../file/database-file.ts'

/** The backups of an open database. */
export class RunningBackups {
  readonly #pool: ConnectionPool
  readonly #file: DatabaseFile | null
  readonly #busyTimeout: number
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<unknown>>()

  constructor(pool: ConnectionPool, file: DatabaseFile | null, busyTimeout: number) {
    this.#pool = pool
    this.#file = file
    this.#busyTimeout = busyTimeout
  }

  start(target: string, options: BackupOptions): Promise<Backup> {
    const backup = this.#backUp(target, options)
    this.#running.add(backup)
    const done = () => this.#running.delete(backup)
    backup.then(done, done)
    return backup
  }

  /** Ends the running backups; each leaves nothing behind. */
  async close(): Promise<void> {
    this.#closing.abort(new DatabaseClosedError())
    await Promise.allSettled(this.#running)
  }

  async #backUp(target: string, options: BackupOptions): Promise<Backup> {
    const { signal: closing } = this.#closing
    const signal = options.signal === undefined ? closing : AbortSignal.any([options.signal, closing])
    // Loaded on demand: it needs parts of Node.js that few programs use and that take long to load.
    const { backUp } = await import('./backup.ts')
    const file = this.#file
    // The copy is made by path, so the path must still lead to this database once the copy is made.
    const look = () => file?.assertThere()
    look()
    const source = file === null ? this.#pool.top.database : file.path
    return backUp(source, target, { ...options, signal, busyTimeout: this.#busyTimeout, look })
  }
}
