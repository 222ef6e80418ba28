import { parseVersionstamp } from '../key/versionstamp.ts'

/** A condition for a write: optimistic locking. */
export interface IfVersionOptions {
  /**
   * The versionstamp that the row must still have, from the entry that you have read. If it has another, or is gone, the call
   * rejects with ConflictError. Left out: any. `null`, `undefined` and text that is not a versionstamp are a TypeError; check
   * with `isVersionstamp` first.
   */
  readonly ifVersion?: string
}

/** The version that a row must still have; `undefined` for any. */
export function expectedVersion(options: IfVersionOptions | undefined): number | undefined {
  if (options === undefined || !('ifVersion' in options)) return undefined
  const { ifVersion } = options
  if (ifVersion === undefined || ifVersion === null) {
    // A missing header must not turn a guarded write into an unguarded one.
    throw new TypeError(
      `ifVersion must be the versionstamp of an entry (got ${ifVersion}): leave it out to write whatever the row's version is`,
    )
  }
  return parseVersionstamp(ifVersion)
}
