import { realpathSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'

/**
 * Removes the write-ahead log that a reading connection has made beside a file, and which it may not remove itself. One that holds
 * commits, or that another process has open, stays: the engine sees to that.
 */
export function removeEmptyLog(path: string): void {
  try {
    const file = realpathSync(path)
    if (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size !== 0) return
    const connection = new Database(file, { fileMustExist: true, timeout: 0 })
    try {
      // Only one that has looked at the log removes it.
      connection.prepare('SELECT 1 FROM sqlite_schema').get()
    } finally {
      connection.close()
    }
  } catch {
    // In use, or in a place that cannot be written.
  }
}
