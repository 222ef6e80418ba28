import { existsSync, lstatSync, statSync } from 'node:fs'
import type Database from 'better-sqlite3'
import { DatabaseBusyError, DatabaseOpenError, StorageError } from '../../../errors.ts'
import { formatVersionstamp } from '../../../key/versionstamp.ts'
import type { Backup, BackupOptions } from '../../backup.ts'
import { alone } from '../alone.ts'
import { type DatabaseFile, databaseFiles } from '../database-file.ts'
import { toKvError } from '../engine-error.ts'
import { openError } from '../open-error.ts'
import { hasTable } from '../own-tables.ts'
import { retryBusy } from '../retry-busy.ts'
import { copyPages } from './copy-pages.ts'
import { type Examination, examine } from './examine.ts'
import { PartialFile } from './partial-file.ts'

/** A connection to what is copied, in a transaction where it is a file, and that file; `null` for one in memory. */
export interface Source {
  readonly connection: Database.Database
  readonly file: DatabaseFile | null
}

interface CopyOptions extends BackupOptions {
  /** Milliseconds for which to wait for those who have the file open that is replaced. */
  readonly busyTimeout: number
}

/**
 * Copies a database, as it is at one moment, into a file that holds nothing or all of it at any time, and is on the disk at the end.
 * Rejects with a DatabaseOpenError where the target cannot be made or is there, with DatabaseBusyError where others have open what is
 * to be replaced, and with a StorageError where the engine or the disk fails.
 */
export async function backUp(source: Source, target: string, options: CopyOptions): Promise<Backup> {
  const { signal, overwrite = false, busyTimeout } = options
  signal?.throwIfAborted()
  const place = (partial: PartialFile) =>
    overwrite && existsSync(target) ? replace(partial, target) : partial.place()
  let partial: PartialFile | undefined
  try {
    assertPlaceable(source, target, overwrite)
    partial = PartialFile.create(target, source.file?.path ?? null)
    const found = await copied(source, partial, options)
    signal?.throwIfAborted()
    const whole = partial
    await retryBusy(() => place(whole), busyTimeout)
    const versionstamp = found.version === 0 ? null : formatVersionstamp(found.version)
    return { path: target, bytes: found.bytes, rows: found.rows, versionstamp }
  } catch (error) {
    throw failureOf(error, target)
  } finally {
    await partial?.discard()
  }
}

/** Copies into a file, and gives what was found in it once it is on the disk. */
async function copied(source: Source, partial: PartialFile, options: BackupOptions): Promise<Examination> {
  const before = source.file === null ? null : stateOf(source.connection)
  await copyPages(source.connection, partial, options)
  const found = await examine(partial.path, options.signal)
  const [problem] = found.problems
  if (problem !== undefined)
    throw new StorageError('SQLITE_CORRUPT', `The copy is damaged, as the database may be: ${problem}`)
  if (before !== null && (found.pages !== before.pages || found.version !== before.version))
    throw new StorageError('SQLITE_CORRUPT', 'The copy is not what was copied: the disk may have failed')
  await partial.sync()
  return found
}

function stateOf(connection: Database.Database): Pick<Examination, 'pages' | 'version'> {
  const newest = 'SELECT max(version) FROM kv_log'
  const version = hasTable(connection, 'kv_log') && connection.prepare<[], number>(newest).pluck().get()
  return { version: version || 0, pages: connection.pragma('page_count', { simple: true }) as number }
}

function assertPlaceable({ file }: Source, target: string, overwrite: boolean): void {
  const there = lstatSync(target, { throwIfNoEntry: false })
  if (there !== undefined) {
    if (!overwrite) throw thereAlready(target)
    if (!there.isFile()) throw new DatabaseOpenError(target, 'what is there is no file: name another one')
    if (file !== null && isSame(file.path, target))
      throw new DatabaseOpenError(target, 'it is the database itself: name another file')
    return
  }
  const beside = databaseFiles(target).find((path) => existsSync(path))
  if (beside === undefined) return
  throw new DatabaseOpenError(
    target,
    `${beside} is of a database that was there: move it away, or name another file`,
  )
}

/** What stands in the write-ahead log of the file that goes must not become part of the one that comes. */
function replace(partial: PartialFile, target: string): void {
  alone(target, () => partial.replace())
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [statSync(one), statSync(other)]
  return a.ino === b.ino && a.dev === b.dev
}

function failureOf(error: unknown, target: string): unknown {
  if (error instanceof DatabaseBusyError)
    return new DatabaseBusyError(error.waited, { cause: error, file: target })
  if (error instanceof Error && 'syscall' in error)
    return (error as NodeJS.ErrnoException).code === 'EEXIST'
      ? thereAlready(target)
      : openError(target, error)
  return toKvError(error)
}

function thereAlready(target: string): DatabaseOpenError {
  return new DatabaseOpenError(
    target,
    'there is such a file already, which a backup does not touch: name another one',
  )
}
