import { existsSync, lstatSync } from 'node:fs'
import { DatabaseBusyError, DatabaseOpenError, StorageError } from '../../../contract/errors.ts'
import { formatVersionstamp } from '../../../key/versionstamp.ts'
import type { Backup, BackupOptions } from '../../backup.ts'
import { isSameFile } from '../../file-kind.ts'
import { alone } from '../file/alone.ts'
import { databaseFiles } from '../file/database-file.ts'
import { toKvError } from '../file/engine-error.ts'
import { openError } from '../file/open-error.ts'
import { retryBusy } from '../file/retry-busy.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { type Copy, copyDatabase } from './copy.ts'
import { PartialFile } from './partial-file.ts'

/** What to copy: the path of a file, or a connection to a database in memory. */
export type Source = string | Connection

export interface CopyOptions extends Pick<BackupOptions, 'onProgress' | 'signal'> {
  /** How many milliseconds to wait for those that have the replaced file open. */
  readonly busyTimeout: number
  /** Checks the copy before it gets its name; throws if it is not wanted. */
  readonly look?: (copy: string) => void
}

/**
 * Copies the state of a database at one moment into a file, which has nothing or everything at any time, and is synced to disk at
 * the end. Rejects with a DatabaseOpenError if the target exists or cannot be made, with DatabaseBusyError if others have the
 * replaced file open, and with a StorageError if the engine or the disk fails.
 */
export async function backUp(
  source: Source,
  target: string,
  options: CopyOptions & Pick<BackupOptions, 'overwrite'>,
): Promise<Backup> {
  const { overwrite = false } = options
  if (!overwrite && isThere(target)) throw thereAlready(target)
  return copyTo(source, target, typeof source === 'string' ? source : null, options, (partial) => {
    // The write-ahead log of the old file must not become part of the new one.
    if (overwrite && existsSync(target)) alone(target, () => partial.replace())
    else partial.place()
  })
}

/**
 * Copies a database into a file beside the target. Once the copy is complete, checked and synced to disk, `place` gives it its
 * name. `like`: the path of the database whose permissions it gets.
 */
export async function copyTo(
  source: Source,
  target: string,
  like: string | null,
  options: CopyOptions,
  place: (partial: PartialFile) => void,
): Promise<Backup> {
  const { signal, busyTimeout } = options
  signal?.throwIfAborted()
  let partial: PartialFile | undefined
  try {
    assertPlaceable(source, target)
    const whole = PartialFile.create(target, like)
    partial = whole
    const found = await copied(source, whole, options)
    await retryBusy(() => {
      signal?.throwIfAborted()
      place(whole)
    }, busyTimeout)
    const versionstamp = found.version === 0 ? null : formatVersionstamp(found.version)
    return { path: target, bytes: found.bytes, rows: found.rows, versionstamp }
  } catch (error) {
    throw failureOf(error, target)
  } finally {
    partial?.discard()
  }
}

/** Copies into a file and syncs it to disk; returns what the check found. */
async function copied(source: Source, partial: PartialFile, options: CopyOptions): Promise<Copy> {
  const copy = await copyDatabase(source, partial.path, options)
  const [problem] = copy.problems
  if (problem !== undefined)
    throw new StorageError(
      'SQLITE_CORRUPT',
      `The copy is damaged, and the database may be too: run "valkeyrie doctor". SQLite finds: ${problem}`,
    )
  options.look?.(partial.path)
  await partial.sync()
  return copy
}

/** Throws a DatabaseOpenError if a copy cannot take the name of the target. */
export function assertPlaceable(source: Source | null, target: string): void {
  const there = lstatSync(target, { throwIfNoEntry: false })
  if (there !== undefined) {
    if (!there.isFile())
      throw new DatabaseOpenError(target, 'something else than a file is there: name another one')
    if (typeof source === 'string' && isSameFile(source, target))
      throw new DatabaseOpenError(target, 'it is the database to copy: name another file')
    return
  }
  const beside = databaseFiles(target).find((path) => existsSync(path))
  if (beside === undefined) return
  throw new DatabaseOpenError(
    target,
    `${beside} belongs to a database that was there: move it away, or name another file`,
  )
}

/** The error to report when making a file at the target has failed. */
export function failureOf(error: unknown, target: string): unknown {
  if (error instanceof DatabaseBusyError)
    return new DatabaseBusyError(error.waited, { cause: error, file: target })
  if (error instanceof Error && 'syscall' in error)
    return (error as NodeJS.ErrnoException).code === 'EEXIST'
      ? thereAlready(target)
      : openError(target, error)
  const failure = toKvError(error)
  if (failure instanceof StorageError && failure.engineCode === 'SQLITE_NOTADB')
    return new DatabaseOpenError(target, 'it is not a database: choose another path', { cause: error })
  if (failure instanceof StorageError && failure.engineCode === 'SQLITE_FULL')
    return new StorageError('SQLITE_FULL', `The disk has no room for ${target}: make room first`, {
      cause: error,
    })
  return failure
}

/** Whether there is anything at the target, even a link that leads nowhere. */
export function isThere(target: string): boolean {
  try {
    return lstatSync(target, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    throw failureOf(error, target)
  }
}

export function thereAlready(target: string): DatabaseOpenError {
  return new DatabaseOpenError(
    target,
    'the file already exists: name another one, or pass overwrite (--overwrite on the command line)',
  )
}
