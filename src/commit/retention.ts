/** How much of `kv_log` to keep: rows, and milliseconds. Whatever exceeds either is removed. */
export interface LogRetention {
  readonly keepRows: number
  readonly keepMs: number
}

/**
 * Which rows of the log to remove: of the `look` oldest, those before the first that stays. A row stays if its version is `newest`
 * or later, or if its version is after `upTo` and its time is not before `before` (ms since the epoch).
 */
export interface LogTrim {
  readonly look: number
  readonly newest: number
  readonly upTo: number
  readonly before: number
}

/** Counted in versions, because it must not matter which process commits them, or how long it lives. */
const versionsBetweenTrims = 256
/** More than one, so that a log that is too long gets shorter, for example after the limit was lowered. */
const trimmedPerVersion = 4

/**
 * Which rows of the log to remove with the commits after version `before`, up to `latest`, at this time (ms since the epoch); null
 * for none. Once in so many versions, whichever process commits them, a bounded number of the oldest rows is removed. The newest
 * row always stays.
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

/** The version of the last row to remove, given the oldest rows in the order of their versions; null for none. */
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
