import { MigrationError } from '../contract/errors.ts'
import { decodeKey } from '../key/codec.ts'
import { patternText } from '../key/pattern-text.ts'
import type { Collection } from './catalog.ts'

/** A row that an added pattern would take from its collection: the names of the collection and of the pattern. */
export interface TakenRow {
  readonly key: Uint8Array
  readonly from: string
  readonly by: string
}

/** A running program looks for its rows where they are, so opening takes none unless it is asked to. */
export function takesRows({ key, from, by }: TakenRow, collections: readonly Collection[]): MigrationError {
  const pattern = (of: string) => patternText(collections.find(({ name }) => name === of)!.pattern)
  return new MigrationError(
    `The pattern ${pattern(by)} of '${by}' would take rows of '${from}' (${pattern(from)}), as ${patternText(decodeKey(key))}: take them for every program with "valkeyrie migrate" or open(path, { takeRows: ['${by}'] })`,
    { repository: from },
  )
}
