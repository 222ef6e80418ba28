import type { SetMutation } from '../commit/write.ts'
import { ValidationError } from '../contract/errors.ts'
import type { Key } from '../contract/key.types.ts'
import { singleKeyRange } from '../key/range.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { RowStore } from './row-store.ts'

/**
 * The mutation that `make` makes of a stored value. The schema may refuse the new value because others have migrated the stored one:
 * then any query of the schema rejects with a MigrationError, and so does this.
 */
export function setFromRow(
  store: RowStore,
  { name }: AnyDefinition,
  key: Key,
  make: () => SetMutation | Promise<SetMutation>,
): SetMutation | Promise<SetMutation> {
  const refused = async (error: unknown): Promise<never> => {
    if (error instanceof ValidationError)
      await store.read({ type: 'count', collection: name, range: singleKeyRange(store.encodeKey(key)) })
    throw error
  }
  try {
    const made = make()
    return made instanceof Promise ? made.catch(refused) : made
  } catch (error) {
    return refused(error)
  }
}
