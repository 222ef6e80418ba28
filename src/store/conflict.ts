import type { CheckConflict } from '../commit/write.ts'
import { type Conflict, ConflictError } from '../contract/errors.ts'
import { decodeKey } from '../key/codec.ts'
import { formatVersionstamp } from '../key/versionstamp.ts'

/** A failed check for the caller: with the key and versionstamps in decoded form. */
export function toConflict({ key, expected, actual }: CheckConflict): Conflict {
  return { key: decodeKey(key), expected: stampOf(expected), actual: stampOf(actual) }
}

/** The error of a write whose checks did not hold, after this many attempts. */
export function conflictError(conflicts: readonly CheckConflict[], attempts: number): ConflictError {
  return new ConflictError(conflicts.map(toConflict), attempts)
}

function stampOf(version: number | null): string | null {
  return version === null ? null : formatVersionstamp(version)
}
