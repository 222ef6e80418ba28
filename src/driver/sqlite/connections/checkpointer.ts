import { statSync } from 'node:fs'
import { longestWal } from '../file/connection.ts'
import { engineCode } from '../file/engine-error.ts'
import type { ConnectionPool } from './connection-pool.ts'

/** Milliseconds without a commit of this handle after which it looks, and between two looks. */
const quiet = 1_000
/** The longest time between two looks while somebody keeps the log from being begun again, in milliseconds. */
const longestQuiet = 16_000
/** The age in milliseconds at which such a log is reported for the first time. */
const tellFrom = 10_000

/** What `PRAGMA wal_checkpoint` gives: whether others were in the way, and the pages in the log and of these those in the file. */
interface Checkpoint {
  readonly busy: number
  readonly log: number
  readonly checkpointed: number
}

/**
 * Keeps the write-ahead log of a file small. The engine begins it again when all of it has been copied into the file and nobody reads
 * from it any more, but at the next commit, and the space on disk stays taken: so a handle that has written looks once it is quiet.
 */
export class Checkpointer {
  readonly #log: string
  readonly #pool: ConnectionPool
  readonly #hasSnapshots: () => boolean
  #timer: NodeJS.Timeout | undefined
  #closed = false
  #written = false
  #wait = quiet
  /** Since when the log has been longer than it is to be, by the clock of the process. */
  #longSince: number | null = null
  #tellAt = tellFrom

  /** `hasSnapshots`: whether this handle itself reads an older state; what holds the log back has been reported then. */
  constructor(path: string, pool: ConnectionPool, hasSnapshots: () => boolean) {
    this.#log = `${path}-wal`
    this.#pool = pool
    this.#hasSnapshots = hasSnapshots
    // A process that has died may have left a long one.
    this.wrote()
  }

  /** Reports a commit. */
  wrote(): void {
    this.#written = true
    if (this.#timer === undefined) this.#lookIn(quiet)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
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

  /** Copies what is not in the file yet, and then, which is done in a moment, cuts the log off; whether that was possible. */
  #shorten(): boolean {
    try {
      // Those who write go on meanwhile. Where it does not come to the end, the next step would keep them waiting.
      const { busy, log, checkpointed } = this.#checkpoint('PASSIVE')
      return busy === 0 && log === checkpointed && this.#checkpoint('TRUNCATE').busy === 0
    } catch (error) {
      // As on a full disk: what is committed is in the log, and the next look tries again.
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

/** In bytes; 0 for a file that is not there. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
