import { lstatSync, realpathSync, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseOpenError, StorageError } from '../../../contract/errors.ts'
import { kindOf } from '../../file-kind.ts'
import { PathHandle } from './path-handle.ts'

/** The files that the engine writes beside an open one. */
const companions = ['-wal', '-shm', '-journal']

/** For how many milliseconds a read trusts the last look at the file, and a write the last look at the path. */
const trusted = 100
/**
 * A file that changed less than this many milliseconds ago may change again with the same time in its inode: two ticks of a slow
 * clock.
 */
const clockTick = 20

const noThrow = { throwIfNoEntry: false } as const

/** Another file came to the path while it was being opened: open it again. */
export class ReplacedMeanwhile extends Error {
  constructor(options?: ErrorOptions) {
    super('another file came to the path', options)
  }
}

/**
 * The file of a database: its real path, after symbolic links, and its identity, whatever is at that path later. Its content is
 * never opened here: closing a file releases all locks that this process has on it.
 */
export class DatabaseFile {
  readonly path: string
  readonly #stats: Stats
  readonly #handle = new PathHandle()
  #isThere = true
  /** When it was last found at its path, in milliseconds since the epoch. */
  #foundAt = 0
  /** When its inode had last changed then; NaN if that says nothing. */
  #changedAt = Number.NaN

  private constructor(path: string, stats: Stats) {
    this.path = path
    this.#stats = stats
  }

  /** The file that a path leads to; `null` if there is none. */
  static at(path: string): DatabaseFile | null {
    const stats = statSync(path, noThrow)
    if (stats === undefined) return null
    try {
      return new DatabaseFile(realpathSync(path), stats)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw error
    }
  }

  /** Whether a path leads to it. */
  isAt(path: string): boolean {
    const stats = statSync(path, noThrow)
    return stats !== undefined && this.#isOf(stats)
  }

  /** Throws ReplacedMeanwhile if a path no longer leads to it. */
  assertAt(path: string): void {
    if (!this.isAt(path)) throw new ReplacedMeanwhile()
  }

  /**
   * Throws a StorageError if it is no longer at its path, where writes to it would be lost. Ask before each commit: an unchanged
   * inode means that the file was neither removed nor renamed, and costs a third of a look at the path.
   */
  assertThere(): void {
    const now = Date.now()
    const changedAt = this.#handle.changedAt(this.path, this.#stats)
    if (this.#isThere && changedAt === this.#changedAt && isRecent(this.#foundAt, now)) return
    this.#isThere = this.isAt(this.path)
    if (!this.#isThere) {
      throw new StorageError(
        'SQLITE_READONLY_DBMOVED',
        `The file ${this.path} was removed or replaced while it was open: close the database, and open it again`,
      )
    }
    this.#foundAt = now
    this.#changedAt = Math.abs(now - changedAt) > clockTick ? changedAt : Number.NaN
  }

  /** Like `assertThere`, for frequent calls: does not look if the last look is less than so many milliseconds old. */
  assertThereAt(now: number, milliseconds = trusted): void {
    if (!this.#isThere || !isRecent(this.#foundAt, now, milliseconds)) this.assertThere()
  }

  close(): void {
    this.#handle.close()
  }

  #isOf({ ino, dev }: Stats): boolean {
    return ino === this.#stats.ino && dev === this.#stats.dev
  }
}

function isRecent(at: number, now: number, milliseconds = trusted): boolean {
  return Math.abs(now - at) < milliseconds
}

/** All files of a database. */
export function databaseFiles(path: string): string[] {
  return [path, ...companions.map((ending) => path + ending)]
}

/** Throws a DatabaseOpenError for a path that cannot be a database, before opening it: a FIFO would block the process forever. */
export function assertOpenable(path: string, readOnly: boolean): void {
  const folder = dirname(path)
  if (statSync(folder, noThrow) === undefined)
    throw new DatabaseOpenError(path, `there is no folder ${folder}: create it first`)
  const stats = statSync(path, noThrow)
  if (stats === undefined && readOnly) throw new DatabaseOpenError(path, 'there is no such file')
  if (stats?.isDirectory()) throw new DatabaseOpenError(path, 'it is a directory: name a file in it')
  if (stats !== undefined && !stats.isFile())
    throw new DatabaseOpenError(path, `it is ${kindOf(stats)}, which holds no database: choose another path`)
  for (const file of databaseFiles(stats === undefined ? path : realpathSync(path)).slice(1)) {
    const beside = lstatSync(file, noThrow)
    if (beside === undefined || beside.isFile()) continue
    throw new DatabaseOpenError(path, `${file} is ${kindOf(beside)}, and in its way: move it away`)
  }
}
