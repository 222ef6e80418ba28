import type { Key } from '../../contract/key.types.ts'
import type { KeyRange } from '../../key/range.ts'
import { Planner } from '../../query/planner.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import { storedSchemaOf } from '../../schema/json-schema.ts'
import type { RowStore } from '../../store/row-store.ts'
import { idRange } from './id-range.ts'

const planners = new WeakMap<AnyDefinition, Planner>()

/** The planner of a definition's queries, shared by all databases and units of work, so each shape is planned once. */
export function plannerOf(definition: AnyDefinition): Planner {
  let planner = planners.get(definition)
  if (planner === undefined) {
    const { name, schema, indexes, pattern, idKinds, search = null } = definition
    planner = new Planner({ name, schema: storedSchemaOf(schema), indexes, pattern, idKinds, search })
    planners.set(definition, planner)
  }
  return planner
}

/** The keys that begin with a `prefix` of leading ids; `null` without one: all keys of the pattern. */
export function prefixKeys(
  store: RowStore,
  definition: AnyDefinition,
  prefix: Key | undefined,
): KeyRange | null {
  if (prefix === undefined || (Array.isArray(prefix) && prefix.length === 0)) return null
  return idRange(definition, { prefix }, store.limits.keyBytes)
}
