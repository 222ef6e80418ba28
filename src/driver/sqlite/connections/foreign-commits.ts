import type { DatabaseFile } from '../file/database-file.ts'
import { latestVersion } from '../rows/statements.ts'
import type { ConnectionPool } from './connection-pool.ts'
import type { PooledConnection } from './pooled-connection.ts'

/** For how many milliseconds a look for commits of others trusts the last look at the file, which costs as much. */
const fileTrusted = 1_000

/**
 * Finds the newest version if it is not `newestOwn`, or that an older state was restored; otherwise null. Reads the log only if others
 * have committed since the last look, or if that was with another connection.
 */
export function foreignCommits(
  pool: ConnectionPool,
  file: DatabaseFile | null,
  newestOwn: () => number,
): () => number | 'restored' | null {
  let lookedWith: PooledConnection | undefined
  let seen: unknown
  let own = newestOwn()
  /** The state that was seen last is of this version, or of a later one. */
  let version = own
  return () => {
    file?.assertThereAt(Date.now(), fileTrusted)
    if (own !== newestOwn()) {
      own = newestOwn()
      version = Math.max(version, own)
    }
    const { top } = pool
    const dataVersion = top.statements.control.dataVersion.get()
    if (top === lookedWith && dataVersion === seen) return null
    const newest = latestVersion(top.statements)
    lookedWith = top
    seen = dataVersion
    const isOlder = newest < version
    version = newest
    if (isOlder) return 'restored'
    return newest === own ? null : newest
  }
}
