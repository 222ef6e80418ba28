import {
  closeSync,
  existsSync,
  linkSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { DatabaseOpenError, StorageError } from '../../../contract/errors.ts'
import type { Backup, BackupOptions, Restored } from '../../backup.ts'
import { alone } from '../file/alone.ts'
import { connect } from '../file/connection.ts'
import { databaseFiles } from '../file/database-file.ts'
import { removeEmptyLog } from '../file/empty-log.ts'
import { engineCode } from '../file/engine-error.ts'
import { assertShape } from '../file/file-format.ts'
import { retryBusy } from '../file/retry-busy.ts'
import { withModule } from '../module/open-connection.ts'
import { hasTable } from '../tables/own-tables.ts'
import { backUp, type CopyOptions, copyTo, isThere } from './backup.ts'
import { freeName } from './free-name.ts'
import type { PartialFile } from './partial-file.ts'

/** Backs up a database that is not open in this process; others may have it open. */
export async function backUpFile(
  database: string,
  target: string,
  options: CopyOptions & Pick<BackupOptions, 'overwrite'>,
): Promise<Backup> {
  return checked(database, options, (source) => backUp(source, target, options))
}

/**
 * Restores a backup as a database, which is either the old one or the new one at any time. `keep`: the old one stays under another
 * name. Rejects with DatabaseBusyError, and changes nothing, if others have the database open; otherwise as a backup does.
 */
export async function restoreFile(
  backup: string,
  database: string,
  options: CopyOptions & { readonly keep: boolean },
): Promise<Restored> {
  return checked(backup, options, async (source) => {
    const replaces = isThere(database)
    const target = replaces && existsSync(database) ? realpathSync(database) : database
    // Looked for first: the engine removes them if it does not know the file.
    const hasCompanions = databaseFiles(target).slice(1).some(existsSync)
    let kept: string | null = null
    const place = (partial: PartialFile) => {
      if (!replaces || !existsSync(target)) return partial.place()
      kept = options.keep ? freeName(`${target}.before-restore`) : null
      exchange(partial, target, kept, hasCompanions)
    }
    const like = replaces ? target : source
    // Whoever has the database open in this process is only noticed by the module that they use.
    const copied = await withModule(target, () => copyTo(source, target, like, options, place))
    return { ...copied, kept }
  })
}

/** Checks that a file is one of ours, then uses its path. */
function checked<T>(path: string, options: CopyOptions, use: (source: string) => Promise<T>): Promise<T> {
  return withModule(path, () => checkedFirst(path, options, use))
}

async function checkedFirst<T>(
  path: string,
  { busyTimeout, signal }: CopyOptions,
  use: (source: string) => Promise<T>,
): Promise<T> {
  const { connection, file } = await retryBusy(() => {
    signal?.throwIfAborted()
    return connect({ path, readOnly: true, durability: 'normal' })
  }, busyTimeout)
  try {
    try {
      assertShape(connection, path)
      if (!hasTable(connection, 'kv'))
        throw new DatabaseOpenError(path, 'it is not a database of valkeyrie: it lacks its tables')
    } finally {
      connection.close()
    }
    return await use(file!.path)
  } finally {
    removeEmptyLog(path)
  }
}

/** Replaces a file that nobody may have open with a copy. `hasCompanions`: whether there were files of a database beside it. */
function exchange(partial: PartialFile, target: string, kept: string | null, hasCompanions: boolean): void {
  const replace = () => {
    if (kept !== null) keep(target, kept)
    partial.replace()
  }
  try {
    alone(target, replace)
  } catch (error) {
    if (!isDamage(error)) throw error
    if (engineCode(error) === 'SQLITE_NOTADB' && !hasCompanions) assertWasDatabase(target)
    // The damaged file may be the reason for the restore, so nothing is read from it. The files beside it belong to it.
    for (const path of databaseFiles(target).slice(1)) {
      if (kept !== null && existsSync(path)) renameSync(path, kept + path.slice(target.length))
      rmSync(path, { force: true })
    }
    replace()
  }
}

/**
 * Throws a DatabaseOpenError for a file that shows nothing of a database. A damaged one may have lost its first bytes, to zeros or
 * ones. The engine cannot have it open: it would read no file like this.
 */
function assertWasDatabase(target: string): void {
  const head = Buffer.alloc(16)
  const file = openSync(target, 'r')
  try {
    readSync(file, head)
  } finally {
    closeSync(file)
  }
  const isLost = head.every((byte) => byte === 0) || head.every((byte) => byte === 0xff)
  if (isLost || head.toString('latin1').startsWith('SQLite')) return
  throw new DatabaseOpenError(
    target,
    'it is not a database: choose another path, or move it away if it is a damaged one',
  )
}

function isDamage(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test(engineCode(error) ?? '')
}

function keep(target: string, kept: string): void {
  try {
    linkSync(target, kept)
  } catch (error) {
    throw new StorageError(
      'SQLITE_IOERR_LINK',
      `${target} cannot be kept as ${kept}, so nothing was restored: ${(error as Error).message}. Copy it, and restore without keeping it`,
      { cause: error },
    )
  }
}
