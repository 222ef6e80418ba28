import type { DatabaseFile } from '../file/database-file.ts'
import { latestVersion } from '../rows/statements.ts'
import type { ConnectionPool } from './connection-pool.ts'
import type { PooledConnection } from './pooled-connection.ts'

/** For how many milliseconds a look for commits of others trusts the last look at the file, which costs as much. */
const fileTrusted = 1_000

/**
 * Finds the newest version if it is not `newestOwn`; otherwise null. Reads the log only if others have committed since the last
 * look, or if that was with another connection.
 */
export function foreignCommits(
  pool: ConnectionPool,
  file: DatabaseFile | null,
  newestOwn: () => number,
): () => number | null {
  let lookedWith: PooledConnection | undefined
  let seen: unknown
  return () => {
    file?.assertThereAt(Date.now(), fileTrusted)
    const { top } = pool
    const dataVersion = top.statements.control.dataVersion.get()
    if (top === lookedWith && dataVersion === seen) return null
    const newest = latestVersion(top.statements)
    lookedWith = top
    seen = dataVersion
    return newest === newestOwn() ? null : newest
  }
}
