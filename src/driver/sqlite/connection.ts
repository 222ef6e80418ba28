import { type BigIntStats, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { memoryPath } from '../../database-path.ts'
import { DatabaseOpenError, StorageError } from '../../errors.ts'
import { registerBigintFunctions } from './bigint-functions.ts'
import { engineCode, isBusy } from './engine-error.ts'
import { registerMeaningFunctions } from './meaning-functions.ts'

/** `application_id` in the header of a file of this library: "VLKY". */
const applicationId = 0x564c4b59
/** `user_version` in the header: the format of the file. With the second one each value has a checksum. */
const plainFormat = 1
const sealedFormat = 2
/** The newest format that this code reads and writes. */
const newestFormat = sealedFormat
/** Bytes; measured in docs/storage-layout.md. A file keeps the page size that it was created with. */
const pageSize = 4_096
/**
 * Pages in the write-ahead log before they are copied into the file (16 MiB). The pages that many commits write, as the last one
 * of the log, are copied once for all of them.
 */
const checkpointPages = 4_000
/** Bytes that the write-ahead log keeps on disk once it is begun anew: what it has from one checkpoint to the next, and some more. */
export const longestWal = checkpointPages * (pageSize + 24) + 1024 * 1024
/** What the connection keeps of the file in memory at the most. */
const cacheKilobytes = 8_192

export interface ConnectionOptions {
  readonly path: string
  readonly readOnly: boolean
  readonly durability: 'normal' | 'full'
}

/** Opens the file and sets it up, in one attempt that throws SQLITE_BUSY when another connection is in the way. */
export function connect({ path, readOnly, durability }: ConnectionOptions): Database.Database {
  const connection = openFile(path, readOnly)
  try {
    assertFormat(connection, path)
    if (!readOnly) {
      connection.pragma(`page_size = ${pageSize}`)
      if (path !== memoryPath) connection.pragma('journal_mode = WAL')
      connection.pragma(`synchronous = ${durability}`)
    }
    tune(connection)
    return connection
  } catch (error) {
    connection.close()
    if (isBusy(error) || error instanceof DatabaseOpenError) throw error
    throw openError(path, error)
  }
}

/** Whether the file is marked as one of this library. */
export function isMarked(connection: Database.Database): boolean {
  return connection.pragma('application_id', { simple: true }) === applicationId
}

/** Opens a file again that is open and set up. */
export function connectAgain(
  { path, readOnly, durability }: ConnectionOptions,
  file: FileId,
): Database.Database {
  const connection = new Database(path, { readonly: readOnly, timeout: 0, fileMustExist: true })
  try {
    if (!isSameFile(fileId(path), file)) {
      throw new StorageError(
        'SQLITE_READONLY_DBMOVED',
        `The file ${path} was replaced while it was open: close the database, and open it again`,
      )
    }
    if (!readOnly) connection.pragma(`synchronous = ${durability}`)
    tune(connection)
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

/** Which file a path leads to. */
export type FileId = Pick<BigIntStats, 'dev' | 'ino'>

export function fileId(path: string): FileId {
  return statSync(path, { bigint: true })
}

function isSameFile(a: FileId, b: FileId): boolean {
  return a.dev === b.dev && a.ino === b.ino
}

function tune(connection: Database.Database): void {
  connection.pragma(`wal_autocheckpoint = ${checkpointPages}`)
  connection.pragma(`journal_size_limit = ${longestWal}`)
  connection.pragma(`cache_size = ${-cacheKilobytes}`)
  connection.pragma('temp_store = MEMORY')
  registerBigintFunctions(connection)
  registerMeaningFunctions(connection)
}

/** Whether each value has a checksum in this file. */
export function isSealed(connection: Database.Database): boolean {
  return connection.pragma('user_version', { simple: true }) === sealedFormat
}

/**
 * Marks the file as one of this library, inside the transaction that creates its tables; `checksums`: as one whose values have them. A
 * file that is marked keeps its format.
 */
export function markFormat(connection: Database.Database, checksums = false): void {
  if (isMarked(connection)) return
  connection.pragma(`application_id = ${applicationId}`)
  connection.pragma(`user_version = ${checksums ? sealedFormat : plainFormat}`)
}

function openFile(path: string, readOnly: boolean): Database.Database {
  if (path !== memoryPath) {
    const folder = dirname(path)
    if (!existsSync(folder))
      throw new DatabaseOpenError(path, `there is no folder ${folder}: create it first`)
    const isDirectory = existsSync(path) && statSync(path).isDirectory()
    if (isDirectory) throw new DatabaseOpenError(path, 'it is a directory: name a file in it')
    if (readOnly && !existsSync(path)) {
      throw new DatabaseOpenError(path, 'there is no such file, and readOnly does not create one')
    }
  } else if (readOnly) {
    throw new TypeError('readOnly needs a path: a database in memory starts empty')
  }
  try {
    return new Database(path, { readonly: readOnly, timeout: 0 })
  } catch (error) {
    if (isBusy(error)) throw error
    throw openError(path, error)
  }
}

function assertFormat(connection: Database.Database, path: string): void {
  // In one transaction: another process may be marking a new file.
  connection.exec('BEGIN')
  const application = connection.pragma('application_id', { simple: true }) as number
  const format = connection.pragma('user_version', { simple: true }) as number
  connection.exec('COMMIT')
  if (application === 0 && format === 0) return
  if (application !== applicationId) {
    throw new DatabaseOpenError(path, 'it is a database of another application: choose another path')
  }
  if (format > newestFormat) {
    const known = `this version of valkeyrie reads formats up to ${newestFormat}`
    throw new DatabaseOpenError(path, `its format is ${format}, and ${known}: upgrade valkeyrie`)
  }
}

/** The error to report for what has failed while a file was opened. */
export function openError(path: string, error: unknown): unknown {
  if (error instanceof StorageError && error.engineCode === 'SQLITE_CORRUPT') {
    return new DatabaseOpenError(path, error.message, { cause: error })
  }
  const [code = ''] = /^SQLITE_[A-Z]+/.exec(engineCode(error) ?? '') ?? []
  const reason = openReasons[engineCode(error) ?? ''] ?? openReasons[code]
  return reason === undefined ? error : new DatabaseOpenError(path, reason, { cause: error })
}

const openReasons: Record<string, string> = {
  SQLITE_NOTADB: 'it is not a database: choose another path',
  SQLITE_CORRUPT: 'the file is damaged: restore it from a backup',
  SQLITE_CANTOPEN: 'it cannot be opened or created: check the permissions of the file and its folder',
  SQLITE_READONLY: 'it cannot be written: check its permissions, or open it with readOnly: true',
  SQLITE_READONLY_DIRECTORY: 'its folder cannot be written: check its permissions',
  SQLITE_PERM: 'its permissions do not allow it: check them',
  SQLITE_FULL: 'the disk is full: make room first',
}

/** The files that a database consists of. */
export function databaseFiles(path: string): string[] {
  return path === memoryPath ? [] : [path, `${path}-wal`, `${path}-shm`]
}
