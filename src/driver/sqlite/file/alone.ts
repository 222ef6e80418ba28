import { openConnection } from '../module/open-connection.ts'
import { assertFormat } from './file-format.ts'

/**
 * Does something to a file while nobody has it open or can open it. Its write-ahead log is then merged into it. Throws SQLITE_BUSY
 * if others have it open, and a DatabaseOpenError if it belongs to another application.
 */
export function alone(path: string, action: () => void): void {
  const connection = openConnection(path)
  try {
    assertFormat(connection, path, true)
    connection.pragma('locking_mode = EXCLUSIVE')
    // Leaving the write-ahead log only succeeds without other connections.
    connection.pragma('journal_mode = DELETE')
    connection.exec('BEGIN EXCLUSIVE')
    action()
  } finally {
    connection.close()
  }
}
