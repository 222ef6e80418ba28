import { QueryError } from '../../contract/errors.ts'
import { describe, quote } from '../../query/describe.ts'
import { fieldHint } from '../../query/unknown-name.ts'
import type { Fields } from '../../schema/fields.ts'
import { isPlainObject } from '../../value/plain-object.ts'

/** Removes fields from an object; any other value, such as an array, a Date or a KvU64, stays whole. */
export type Projection = (value: unknown) => unknown

/**
 * The projection for `columns`: if any field is `true`, or none is named, only the true ones; otherwise all but the false ones.
 * Throws a QueryError for a name that is not a field.
 */
export function projectionOf(columns: unknown, fields: Fields, collection: string): Projection | null {
  if (columns === undefined) return null
  if (typeof columns !== 'object' || columns === null || Array.isArray(columns)) {
    throw new QueryError(
      `columns takes fields with true or false, such as { name: true }: got ${describe(columns)}`,
    )
  }
  const chosen = new Map(Object.entries(columns))
  for (const [name, wanted] of chosen) {
    if (fields.child(fields.root, name) === null)
      throw new QueryError(
        `There is no field ${quote(name)} in the values of '${collection}'${fieldHint(name, fields.root, fields)}`,
      )
    if (typeof wanted !== 'boolean')
      throw new QueryError(`columns takes true or false for ${quote(name)}: got ${describe(wanted)}`)
  }
  const only = chosen.size === 0 || [...chosen.values()].includes(true)
  return (value) => {
    if (!isPlainObject(value)) return value
    return Object.fromEntries(
      Object.entries(value).filter(([name]) =>
        only ? chosen.get(name) === true : chosen.get(name) !== false,
      ),
    )
  }
}
