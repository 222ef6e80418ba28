import type { AnyDefinition } from '../../schema/definition.types.ts'
import { jsonSchemaOf } from '../../schema/json-schema.ts'
import { isPlainObject } from '../../value/plain-object.ts'
import { plannerOf } from '../find/planner-of.ts'

/** What to add to a field; negative for a decrement. */
interface Increment {
  readonly field: string
  readonly by: number | bigint
}

/** A patch, with its increments apart from its values. */
export interface SplitPatch {
  readonly fields: Readonly<Record<string, unknown>>
  readonly increments: readonly Increment[]
}

/**
 * Separates the increments of a patch from its values. `{ increment: 1 }` is an increment unless the field may be an object; if the
 * schema does not describe the field, it is one if the stored value is a number or a bigint.
 */
export function splitPatch(definition: AnyDefinition, stored: object, patch: object): SplitPatch {
  const fields: Record<string, unknown> = Object.create(null)
  const increments: Increment[] = []
  for (const [field, given] of Object.entries(patch)) {
    const by = amountOf(given)
    if (by !== null && isNumeric(definition, field, ownField(stored, field))) increments.push({ field, by })
    else fields[field] = given
  }
  return { fields, increments }
}

/** Whether a patch may hold increments. */
export function mayIncrement(patch: object): boolean {
  return Object.values(patch).some((given) => amountOf(given) !== null)
}

/**
 * The fields after these increments; a missing field, or null, counts as 0. Throws a TypeError if a field has any other kind of
 * value.
 */
export function incremented(stored: object, increments: readonly Increment[]): Record<string, unknown> {
  const fields: Record<string, unknown> = Object.create(null)
  for (const { field, by } of increments) {
    const before = ownField(stored, field)
    // Not `by` itself, which is -0 for a decrement by 0.
    if (before === undefined || before === null) fields[field] = by === 0 ? 0 : by
    else if (typeof before === 'number' && typeof by === 'number') fields[field] = before + by
    else if (typeof before === 'bigint' && typeof by === 'bigint') fields[field] = before + by
    else {
      const kind = typeof before
      const hint = kind === 'number' || kind === 'bigint' ? `give a ${kind}` : 'give the new value'
      throw new TypeError(`A ${typeof by} cannot be added to '${field}', which holds a ${kind}: ${hint}`)
    }
  }
  return fields
}

/** Not what an object inherits, as `constructor`. */
function ownField(stored: object, field: string): unknown {
  return Object.hasOwn(stored, field) ? (stored as Record<string, unknown>)[field] : undefined
}

/** What `{ increment }` or `{ decrement }` adds; null for anything else. */
function amountOf(given: unknown): number | bigint | null {
  if (!isPlainObject(given)) return null
  const [only, ...others] = Object.entries(given)
  if (only === undefined || others.length > 0) return null
  const [name, by] = only as [string, unknown]
  if (typeof by !== 'number' && typeof by !== 'bigint') return null
  return name === 'increment' ? by : name === 'decrement' ? -by : null
}

function isNumeric(definition: AnyDefinition, field: string, stored: unknown): boolean {
  if (jsonSchemaOf(definition.schema) === null)
    return typeof stored === 'number' || typeof stored === 'bigint'
  const found = plannerOf(definition).fields.at([field])
  return found !== null && !found.types.structure
}
