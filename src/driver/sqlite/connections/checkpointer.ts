import { statSync } from 'node:fs'
import type { AtomicWrite, CommitOutcome } from '../../../commit/write.ts'
import { longestWal } from '../file/connection.ts'
import { engineCode } from '../file/engine-error.ts'
import type { ConnectionPool } from './connection-pool.ts'
import { EarlySync } from './early-sync.ts'

/** How many milliseconds without a commit of this handle before it looks, and between two looks. */
const quiet = 1_000
/** The longest time between two looks while something keeps the log from restarting, in milliseconds. */
const longestQuiet = 16_000
/** The age in milliseconds at which such a log is first reported. */
const tellFrom = 10_000

/**
 * The result of `PRAGMA wal_checkpoint`: whether others were in the way, how many pages the log has, and how many of these are in
 * the file.
 */
interface Checkpoint {
  readonly busy: number
  readonly log: number
  readonly checkpointed: number
}

/**
 * Keeps the write-ahead log of a file small. The engine restarts it once it is copied into the file and nobody reads from it, but
 * only at the next commit, and its space on disk stays in use. So a handle that has written looks at the log once it is quiet.
 */
export class Checkpointer {
  readonly #log: string
  readonly #pool: ConnectionPool
  readonly #hasSnapshots: () => boolean
  readonly #earlySync: EarlySync | null
  #timer: NodeJS.Timeout | undefined
  #closed = false
  #written = false
  #wait = quiet
  /** Since when the log has been too long, by the clock of the process. */
  #longSince: number | null = null
  #tellAt = tellFrom

  /**
   * `hasSnapshots`: whether this handle itself reads an older state, which has then already been reported. `early`: sync the log in
   * the background, too.
   */
  constructor(path: string, pool: ConnectionPool, hasSnapshots: () => boolean, early: boolean) {
    this.#log = `${path}-wal`
    this.#earlySync = early ? new EarlySync(this.#log) : null
    this.#pool = pool
    this.#hasSnapshots = hasSnapshots
    // A process that died may have left a long log.
    this.wrote()
  }

  /** Reports that a commit begins. */
  wrote(): void {
    this.#written = true
    if (this.#timer === undefined) this.#lookIn(quiet)
  }

  /** Reports the writes of a commit and their outcomes. */
  committed(writes: readonly AtomicWrite[], outcomes: readonly CommitOutcome[]): void {
    this.#earlySync?.wrote(writes, outcomes)
  }

  /** Resolves once it has no file open. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#earlySync?.settled()
  }

  #lookIn(milliseconds: number): void {
    if (!this.#closed) this.#timer = setTimeout(() => this.#look(), milliseconds).unref()
  }

  #look(): void {
    this.#timer = undefined
    const isQuiet = !this.#written
    this.#written = false
    const bytes = sizeOf(this.#log)
    if (bytes <= longestWal || (isQuiet && this.#shorten())) {
      this.#longSince = null
      this.#tellAt = tellFrom
      this.#wait = quiet
      if (!isQuiet) this.#lookIn(quiet)
      return
    }
    this.#tell(bytes)
    this.#wait = isQuiet ? Math.min(2 * this.#wait, longestQuiet) : quiet
    this.#lookIn(this.#wait)
  }

  /** Copies the rest of the log into the file, then truncates the log, which takes a moment. Returns whether that was possible. */
  #shorten(): boolean {
    try {
      // Writers continue during this step. If it cannot finish, the next one would make them wait.
      const { busy, log, checkpointed } = this.#checkpoint('PASSIVE')
      return busy === 0 && log === checkpointed && this.#checkpoint('TRUNCATE').busy === 0
    } catch (error) {
      // For example a full disk: the commits are safe in the log, and the next look tries again.
      if (engineCode(error) === undefined) throw error
      return false
    }
  }

  #checkpoint(mode: 'PASSIVE' | 'TRUNCATE'): Checkpoint {
    const [row] = this.#pool.top.database.pragma(`wal_checkpoint(${mode})`) as Checkpoint[]
    return row!
  }

  #tell(bytes: number): void {
    const now = performance.now()
    this.#longSince ??= now
    const age = Math.trunc(now - this.#longSince)
    if (age < this.#tellAt) return
    this.#tellAt = 2 * age
    if (this.#hasSnapshots()) return
    const megabytes = (bytes / 2 ** 20).toFixed(0)
    const seconds = (age / 1000).toFixed(0)
    process.emitWarning(
      `The write-ahead log of the database has had ${megabytes} MB for ${seconds} s and cannot be restarted: another process, or a Drizzle statement, reads an older state, or somebody writes without a pause`,
      { type: 'LongSnapshotWarning', detail: JSON.stringify({ age, bytes }) },
    )
  }
}

/** In bytes; 0 for a missing file. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
