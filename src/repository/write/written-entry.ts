import type { Mutation, SetMutation } from '../../commit/write.ts'
import type { Key } from '../../contract/key.types.ts'
import { decodeKey } from '../../key/codec.ts'
import { idOfKey } from '../../key/pattern.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import type { RowEntry, RowStore } from '../../store/row-store.ts'
import { inSlices } from '../../time/give-way.ts'

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
 * Reads what mutations write before they are committed, if the schema judges every read value: a row that it refuses is refused here,
 * and nothing is written.
 */
export async function judgeWritten(
  store: RowStore,
  definition: AnyDefinition,
  mutations: readonly Mutation[],
): Promise<void> {
  if (!store.validatesReads) return
  await inSlices(mutations, (it) => (it.type === 'set' ? writtenEntry(store, definition, it, 0) : null))
}
