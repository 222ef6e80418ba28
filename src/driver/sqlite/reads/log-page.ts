import { readChanges } from '../../../commit/log-format.ts'
import type { LoggedCommit, LogPage } from '../../driver.ts'
import { latestVersion, type Statements } from '../rows/statements.ts'

/** How many bytes of changes end a page of the log, which may contain values. */
const bytesPerPage = 64 * 1024

/** The commits after a version: at most `limit`, or fewer if they are large. Run it in a transaction. */
export function readLogPage(statements: Statements, version: number, limit: number): LogPage {
  const commits: LoggedCommit[] = []
  let bytes = 0
  for (const [at, time, changes] of statements.logSince.iterate(version, limit)) {
    commits.push({ version: at, at: time, changes: readChanges(changes) })
    bytes += changes instanceof Uint8Array ? changes.length : 0
    if (bytes >= bytesPerPage) break
  }
  return { commits, oldest: statements.oldestVersion.get()![0] ?? 0, latest: latestVersion(statements) }
}
