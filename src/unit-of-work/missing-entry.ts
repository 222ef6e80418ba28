import { formatKey } from '../contract/format-key.ts'
import { inspectName } from '../contract/inspected.ts'
import type { Key } from '../contract/key.types.ts'

/** The entry of a missing row. Assigning to its value would write nothing, so it throws and says what to do instead. */
export function unassignable<E extends { readonly key: Key }>(entry: E): E {
  const { key } = entry
  return Object.freeze(
    Object.defineProperties(entry, {
      value: {
        get: () => null,
        set: () => {
          throw new TypeError(`There is no row ${formatKey(key)} to change: write one, with set or insert`)
        },
      },
      [inspectName]: { value: () => ({ ...entry }) },
    }),
  )
}
