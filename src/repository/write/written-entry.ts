import type { SetMutation } from '../../commit/write.ts'
import type { Key } from '../../contract/key.types.ts'
import { decodeKey } from '../../key/codec.ts'
import { idOfKey } from '../../key/pattern.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import type { RowEntry, RowStore } from '../../store/row-store.ts'

/** The entry of a written row; in a unit of work, the one entry of its key. */
export function writtenEntry(
  store: RowStore,
  { pattern }: AnyDefinition,
  { key: encodedKey, stored, expiresAt = null }: SetMutation,
  version: number,
  key: Key = decodeKey(encodedKey),
): RowEntry | Promise<RowEntry> {
  return store.rowEntry({ ...stored, version, expiresAt }, idOfKey(pattern, key), key)
}

/**
 * Reads what a mutation writes before it is committed, if the schema judges every read value: a row that it refuses is refused here,
 * and nothing is written.
 */
export function judgeWritten(
  store: RowStore,
  definition: AnyDefinition,
  mutation: SetMutation,
  key?: Key,
): RowEntry | Promise<RowEntry> | undefined {
  return store.validatesReads ? writtenEntry(store, definition, mutation, 0, key) : undefined
}
