import type { Statements } from './statements.ts'

/** How much of `kv_log` is kept: rows, and milliseconds. Whatever exceeds either is removed. */
export interface LogRetention {
  readonly keepRows: number
  readonly keepMs: number
}

/** Versions, so that it does not matter which process gives them, and for how long it lives. */
const versionsBetweenTrims = 256
/** More than one, so that a log that is too long, as after a lower limit, gets shorter. */
const trimmedPerVersion = 4

/** Trims `kv_log` now and then, a bounded number of rows at a time, inside the transaction of a commit. */
export class LogTrimmer {
  readonly #retention: LogRetention
  readonly #between: number

  constructor(retention: LogRetention) {
    this.#retention = retention
    this.#between = Math.min(versionsBetweenTrims, retention.keepRows)
  }

  /**
   * Tells of the versions after `before` up to `latest`, the newest one, whose row always stays; `now` in ms since the epoch. Every so
   * many versions, whoever has given the others, the oldest rows go.
   */
  afterCommits({ oldestLog, trimLog }: Statements, before: number, latest: number, now: number): void {
    const given = latest - before
    if (given === 0 || (given < this.#between && latest % this.#between >= given)) return
    const oldestKept = latest - this.#retention.keepRows
    const oldestTime = now - this.#retention.keepMs
    const most = trimmedPerVersion * Math.max(given, this.#between)
    let last: number | null = null
    for (const [version, at] of oldestLog.all(most)) {
      if (version >= latest || (version > oldestKept && at >= oldestTime)) break
      last = version
    }
    if (last !== null) trimLog.run(last)
  }
}
