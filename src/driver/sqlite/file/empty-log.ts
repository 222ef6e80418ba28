import { realpathSync, statSync } from 'node:fs'
import { openConnection } from '../module/open-connection.ts'

/**
 * Removes the write-ahead log that a reading connection has made beside a file, and which it may not remove itself. One that holds
 * commits, or that another process has open, stays: the engine sees to that.
 */
export function removeEmptyLog(path: string): void {
  try {
    const file = realpathSync(path)
    if (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size !== 0) return
    const connection = openConnection(file)
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
