import { openConnection } from '../module/open-connection.ts'
import { assertFormat } from './file-format.ts'

/**
 * Does something to a file while nobody has it open and nobody can open it. What stood in its write-ahead log stands in the file then,
 * and nothing beside it. Throws SQLITE_BUSY if others have it open, and a DatabaseOpenError if it is of another application.
 */
export function alone(path: string, action: () => void): void {
  const connection = openConnection(path)
  try {
    assertFormat(connection, path, true)
    connection.pragma('locking_mode = EXCLUSIVE')
    // It leaves the write-ahead log only where no other connection is open.
    connection.pragma('journal_mode = DELETE')
    connection.exec('BEGIN EXCLUSIVE')
    action()
  } finally {
    connection.close()
  }
}
