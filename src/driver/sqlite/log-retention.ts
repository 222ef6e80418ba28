import type { Statements } from './statements.ts'

/** How much of `kv_log` is kept: rows, and milliseconds. Whatever exceeds either is removed. */
export interface LogRetention {
  readonly keepRows: number
  readonly keepMs: number
}

const commitsBetweenTrims = 256
/** More than one, so that a log that is too long, as after a lower limit, gets shorter. */
const trimmedPerCommit = 4

/** Trims `kv_log` now and then, a bounded number of rows at a time, inside the transaction of a commit. */
export class LogTrimmer {
  readonly #statements: Statements
  readonly #retention: LogRetention
  #commits = 0

  constructor(statements: Statements, retention: LogRetention) {
    this.#statements = statements
    this.#retention = retention
  }

  /** Counts new commits; `latest` is the newest version, whose row always stays, `now` in ms since the epoch. */
  afterCommits(commits: number, latest: number, now: number): void {
    this.#commits += commits
    if (this.#commits < commitsBetweenTrims) return
    const most = trimmedPerCommit * this.#commits
    this.#commits = 0
    const oldestKept = latest - this.#retention.keepRows
    const oldestTime = now - this.#retention.keepMs
    let last = 0
    for (const [version, at] of this.#statements.oldestLog.all(most)) {
      if (version >= latest || (version > oldestKept && at >= oldestTime)) break
      last = version
    }
    if (last > 0) this.#statements.trimLog.run(last)
  }
}
