import { lstatSync, realpathSync, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseOpenError, StorageError } from '../../../contract/errors.ts'
import { kindOf } from '../../file-kind.ts'
import { memoryPath } from './database-path.ts'
import { PathHandle } from './path-handle.ts'

/** What the engine writes beside a file while it is open. */
const companions = ['-wal', '-shm', '-journal']

/** Milliseconds for which a read trusts the last look, and a write one at the path. */
const trusted = 100
/** A file that has changed less than so many milliseconds ago may change again without another time in its inode: two ticks of a slow clock. */
const clockTick = 20

const noThrow = { throwIfNoEntry: false } as const

/** Another file has come to the path while one was opened there: it is to be opened again. */
export class ReplacedMeanwhile extends Error {}

/**
 * The file of a database: its real path, whatever symbolic links led there, and which file it is, whatever stands at that path later.
 * Its content is never opened here: the system lets go of all locks that a process has on a file where the process closes it.
 */
export class DatabaseFile {
  readonly path: string
  readonly #stats: Stats
  readonly #handle = new PathHandle()
  #isThere = true
  /** When it was looked for at its path, and found: in milliseconds since the epoch. */
  #foundAt = 0
  /** When its inode changed last, as it was found then; NaN where that says nothing. */
  #changedAt = Number.NaN

  private constructor(path: string, stats: Stats) {
    this.path = path
    this.#stats = stats
  }

  /** The file that a path leads to; `null` if there is none. */
  static at(path: string): DatabaseFile | null {
    const stats = statSync(path, noThrow)
    return stats === undefined ? null : new DatabaseFile(realpathSync(path), stats)
  }

  /** The file that was opened at a path where `before` was; `null` for a database in memory. */
  static opened(path: string, before: DatabaseFile | null): DatabaseFile | null {
    if (path === memoryPath) return null
    const file = DatabaseFile.at(path)
    if (file === null || (before !== null && !file.#isOf(before.#stats))) throw new ReplacedMeanwhile()
    return file
  }

  /**
   * Throws a StorageError if it is no longer the one at its path, so that what is written to it would be lost. To be asked before
   * each commit: an inode that has not changed has not been removed or renamed, which costs a third of a look at the path.
   */
  assertThere(): void {
    const now = Date.now()
    const changedAt = this.#handle.changedAt(this.path, this.#stats)
    if (this.#isThere && changedAt === this.#changedAt && isRecent(this.#foundAt, now)) return
    const stats = statSync(this.path, noThrow)
    this.#isThere = stats !== undefined && this.#isOf(stats)
    if (!this.#isThere) {
      throw new StorageError(
        'SQLITE_READONLY_DBMOVED',
        `The file ${this.path} was removed or replaced while it was open: close the database, and open it again`,
      )
    }
    this.#foundAt = now
    this.#changedAt = Math.abs(now - changedAt) > clockTick ? changedAt : Number.NaN
  }

  /** As `assertThere`, for what happens often: not with every call. */
  assertThereAt(now: number): void {
    if (!this.#isThere || !isRecent(this.#foundAt, now)) this.assertThere()
  }

  close(): void {
    this.#handle.close()
  }

  #isOf({ ino, dev }: Stats): boolean {
    return ino === this.#stats.ino && dev === this.#stats.dev
  }
}

function isRecent(at: number, now: number): boolean {
  return Math.abs(now - at) < trusted
}

/** The files that a database consists of. */
export function databaseFiles(path: string): string[] {
  return [path, ...companions.map((ending) => path + ending)]
}

/** Throws a DatabaseOpenError for what can be no database, before it is opened: a FIFO would keep the process waiting for ever. */
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
