import { existsSync } from 'node:fs'
import { DatabaseOpenError } from '../../../contract/errors.ts'
import { openConnection } from '../module/open-connection.ts'
import type { Connection, ModuleName } from '../module/sqlite-module.ts'
import { registerBigintFunctions } from './bigint-functions.ts'
import { assertOpenable, DatabaseFile, ReplacedMeanwhile } from './database-file.ts'
import { memoryPath } from './database-path.ts'
import { removeEmptyLog } from './empty-log.ts'
import { engineCode, isPassing } from './engine-error.ts'
import { assertFormat } from './file-format.ts'
import { registerMeaningFunctions } from './meaning-functions.ts'
import { openError } from './open-error.ts'

/** In bytes; measured in docs/storage-layout.md. A file keeps the page size with which it was created. */
const pageSize = 4_096
/**
 * How many pages in the write-ahead log before they are copied into the file (16 MiB). Pages that many commits write, such as the
 * last one of the log, are copied once for all of them.
 */
const checkpointPages = 4_000
/** The same during a sweep of expired rows: nobody waits for it, and smaller copies block the thread for less time. */
const sweptPages = 1_000
/** How many bytes the write-ahead log keeps on disk when it restarts: its usual size at a checkpoint, and some more. */
export const longestWal = checkpointPages * (pageSize + 24) + 1024 * 1024
/** How much of the file a connection keeps in memory at most. */
const cacheKilobytes = 8_192

export interface ConnectionOptions {
  readonly path: string
  readonly readOnly: boolean
  readonly durability: 'normal' | 'full'
  /** The module that runs it; left out: as `openConnection` chooses. */
  readonly engine?: ModuleName | undefined
  /** Whether the file belongs to a folder of migrations. */
  readonly migrated?: boolean
}

/** A connection, and its file; `null` for one in memory. */
export interface Connected {
  readonly connection: Connection
  readonly file: DatabaseFile | null
}

/**
 * Opens the file and sets it up, in one attempt. Throws SQLITE_BUSY if another connection is in the way, and ReplacedMeanwhile if
 * another file came to the path.
 */
export function connect({
  path,
  readOnly,
  durability,
  engine,
  migrated = false,
}: ConnectionOptions): Connected {
  let connection: Connection | undefined
  let file: DatabaseFile | null = null
  let hadLog = false
  try {
    if (path !== memoryPath) file = fileAt(path, readOnly, engine)
    hadLog = file !== null && existsSync(`${file.path}-wal`)
    connection = openFile(path, readOnly, engine)
    assertFormat(connection, path, migrated)
    if (!readOnly) {
      connection.pragma(`page_size = ${pageSize}`)
      if (path !== memoryPath) connection.pragma('journal_mode = WAL')
      connection.pragma(`synchronous = ${durability}`)
    }
    tune(connection)
    file?.assertAt(path)
    return { connection, file }
  } catch (error) {
    connection?.close()
    if (isPassing(error)) throw error
    if ((file !== null && !file.isAt(path)) || hasLostJournal(error))
      throw new ReplacedMeanwhile({ cause: error })
    if (!hadLog) removeEmptyLog(path)
    if (error instanceof DatabaseOpenError) throw error
    throw openError(path, error)
  }
}

/** The file at a path, made if it is missing: nobody could say whether a file that a connection has made is the one there afterwards. */
function fileAt(path: string, readOnly: boolean, engine?: ModuleName): DatabaseFile {
  const there = DatabaseFile.at(path)
  if (there !== null) return there
  openFile(path, readOnly, engine).close()
  const made = DatabaseFile.at(path)
  if (made === null) throw new ReplacedMeanwhile()
  return made
}

/**
 * Whether the journal of a transaction was gone when it ended: whoever opened the file that was at the path before takes it for the one
 * of that file. All of the transaction is in this file by then.
 */
function hasLostJournal(error: unknown): boolean {
  return engineCode(error) === 'SQLITE_IOERR_DELETE_NOENT'
}

/** Opens another connection to a file that is already set up. */
export function connectAgain(
  file: DatabaseFile,
  { readOnly, durability, engine }: Pick<ConnectionOptions, 'readOnly' | 'durability' | 'engine'>,
): Connection {
  const connection = openConnection(file.path, { readOnly, engine })
  try {
    file.assertThere()
    if (!readOnly) connection.pragma(`synchronous = ${durability}`)
    tune(connection)
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

/** Runs a part of a sweep, during which the write-ahead log is copied in smaller parts. */
export function inSweep<T>(connection: Connection, part: () => T): T {
  checkpointAt(connection, sweptPages)
  try {
    return part()
  } finally {
    checkpointAt(connection, checkpointPages)
  }
}

function checkpointAt(connection: Connection, pages: number): void {
  connection.pragma(`wal_autocheckpoint = ${pages}`)
}

function tune(connection: Connection): void {
  checkpointAt(connection, checkpointPages)
  connection.pragma(`journal_size_limit = ${longestWal}`)
  connection.pragma(`cache_size = ${-cacheKilobytes}`)
  connection.pragma('temp_store = MEMORY')
  registerBigintFunctions(connection)
  registerMeaningFunctions(connection)
}

function openFile(path: string, readOnly: boolean, engine?: ModuleName): Connection {
  if (path !== memoryPath) assertOpenable(path, readOnly)
  else if (readOnly) throw new TypeError('readOnly needs a path: a database in memory starts empty')
  return openConnection(path, { readOnly, create: !readOnly, engine })
}
