import type Database from 'better-sqlite3'
import type { BackupOptions } from '../../backup.ts'
import type { PartialFile } from './partial-file.ts'

/** Pages that are copied between two turns of the event loop: as many as take some milliseconds. */
const fewest = 64
const most = 4_096
const shortTurn = 3
const longTurn = 6
/** Bytes after which the disk is set to work, so that little is left to write at the end. */
const bytesPerFlush = 32 * 1024 * 1024

/** Copies all pages of a database into a file, some at a time. */
export async function copyPages(
  source: Database.Database,
  partial: PartialFile,
  { onProgress, signal }: BackupOptions,
): Promise<void> {
  const pageSize = source.pragma('page_size', { simple: true }) as number
  let pages = fewest
  let last = performance.now()
  let flushed = 0
  const { totalPages } = await source.backup(partial.path, {
    progress({ totalPages, remainingPages }) {
      signal?.throwIfAborted()
      const done = (totalPages - remainingPages) * pageSize
      onProgress?.(done, totalPages * pageSize)
      if (done - flushed >= bytesPerFlush) {
        partial.flush()
        flushed = done
      }
      const now = performance.now()
      if (now - last < shortTurn) pages = Math.min(2 * pages, most)
      else if (now - last > longTurn) pages = Math.max(pages >> 1, fewest)
      last = now
      return pages
    },
  })
  signal?.throwIfAborted()
  onProgress?.(totalPages * pageSize, totalPages * pageSize)
}
