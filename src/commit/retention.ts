/** How much of `kv_log` is kept: rows, and milliseconds. Whatever exceeds either is removed. */
export interface LogRetention {
  readonly keepRows: number
  readonly keepMs: number
}

/**
 * Which rows of the log are to go: of the `look` oldest those before the first that stays. One stays that is of the version `newest` or
 * a later one, and one of a version after `upTo` and of a time not before `before` (ms since the epoch).
 */
export interface LogTrim {
  readonly look: number
  readonly newest: number
  readonly upTo: number
  readonly before: number
}

/** Versions, so that it does not matter which process gives them, and for how long it lives. */
const versionsBetweenTrims = 256
/** More than one, so that a log that is too long, as after a lower limit, gets shorter. */
const trimmedPerVersion = 4

/**
 * What of the log is to go with a commit of the versions after `before` up to `latest`, at this time (ms since the epoch); null: nothing.
 * Every so many versions, whoever has given the others, a bounded number of the oldest rows goes; the newest one always stays.
 */
export function trimOf(
  { keepRows, keepMs }: LogRetention,
  before: number,
  latest: number,
  now: number,
): LogTrim | null {
  const between = Math.min(versionsBetweenTrims, keepRows)
  const given = latest - before
  if (given === 0 || (given < between && latest % between >= given)) return null
  return {
    look: trimmedPerVersion * Math.max(given, between),
    newest: latest,
    upTo: latest - keepRows,
    before: now - keepMs,
  }
}

/** The version of the last row that goes, of the oldest rows in the order of their versions; null: none does. */
export function lastTrimmed(
  { newest, upTo, before }: LogTrim,
  oldest: Iterable<readonly [version: number, at: number]>,
): number | null {
  let last: number | null = null
  for (const [version, at] of oldest) {
    if (version >= newest || (version > upTo && at >= before)) break
    last = version
  }
  return last
}
