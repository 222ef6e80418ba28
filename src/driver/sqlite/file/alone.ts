import { rmSync } from 'node:fs'
import { openConnection } from '../module/open-connection.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { DatabaseFile, ReplacedMeanwhile } from './database-file.ts'
import { isPassing } from './engine-error.ts'
import { assertFormat } from './file-format.ts'

/**
 * Does something to a file while nobody has it open or can open it. Its write-ahead log is then merged into it, and there is no other
 * file beside it. Throws SQLITE_BUSY if others have it open, ReplacedMeanwhile if they have just replaced or opened it, and a
 * DatabaseOpenError if it belongs to another application.
 */
export function alone(path: string, action: () => void): void {
  const file = DatabaseFile.at(path)
  if (file === null) throw new ReplacedMeanwhile()
  const connection = taken(path, file)
  try {
    action()
  } finally {
    connection.close()
  }
}

/** A connection that keeps others from a file until it is closed, which then touches nothing by its name. */
function taken(path: string, file: DatabaseFile): Connection {
  let connection: Connection | undefined
  try {
    connection = openConnection(path)
    assertFormat(connection, path, true)
    // The engine would merge the log of the file that is there now into this one. With its own log open, this one cannot be replaced.
    file.assertAt(path)
    connection.pragma('locking_mode = EXCLUSIVE')
    // Leaving the write-ahead log only succeeds without other connections.
    connection.pragma('journal_mode = DELETE')
    connection.exec('BEGIN EXCLUSIVE')
    // Without a log, others could replace it until now, or begin one.
    file.assertAt(path)
    if (connection.pragma('journal_mode', { simple: true }) === 'wal') throw new ReplacedMeanwhile()
    // The connection would keep its journal, which is empty, and remove it by a name that may be the next file's by then.
    connection.pragma('journal_mode = MEMORY')
    rmSync(`${file.path}-journal`, { force: true })
    return connection
  } catch (error) {
    connection?.close()
    // With the log of another file beside it, it may look damaged.
    if (isPassing(error) || file.isAt(path)) throw error
    throw new ReplacedMeanwhile({ cause: error })
  }
}
