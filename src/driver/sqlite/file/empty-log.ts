import { realpathSync, statSync } from 'node:fs'
import { openConnection } from '../module/open-connection.ts'

/**
 * Removes the write-ahead log that a reading connection has created beside a file, and cannot remove. A log with commits, or that
 * another process has open, stays: the engine makes sure of that.
 */
export function removeEmptyLog(path: string): void {
  try {
    const file = realpathSync(path)
    if (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size !== 0) return
    const connection = openConnection(file)
    try {
      // Only a connection that has read the log removes it.
      connection.prepare('SELECT 1 FROM sqlite_schema').get()
    } finally {
      connection.close()
    }
  } catch {
    // It is in use, or in a place that cannot be written.
  }
}
