import type { IdOf, Pattern } from '../key/pattern.types.ts'
import type { Key } from '../key.types.ts'

/** The entry of a row that there is not. */
export interface MissingRow {
  readonly id: IdOf<Pattern>
  readonly key: Key
  readonly value: null
  readonly versionstamp: null
  readonly expiresAt: null
}

export function missingRow(id: IdOf<Pattern>, key: Key): MissingRow {
  return { id, key, value: null, versionstamp: null, expiresAt: null }
}
