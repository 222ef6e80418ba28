import type { Key } from '../../contract/key.types.ts'
import type { IdOf, Pattern } from '../../key/pattern.types.ts'
import type { MissingRow } from '../types/entry.types.ts'

/** The entry of a row that does not exist. */
export function missingRow(id: IdOf<Pattern>, key: Key): MissingRow<IdOf<Pattern>, Key> {
  return { id, key, value: null, versionstamp: null, expiresAt: null }
}
