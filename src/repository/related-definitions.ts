import type { AnyDefinition } from '../schema/definition.types.ts'
import type { Registry } from '../schema/registry.ts'

/** A definition whose rows a query loads by `with`. */
export interface RelatedDefinition {
  readonly definition: AnyDefinition
  /** How many leading parts of its keys are the key of the row that it belongs to; null where a field refers to it. */
  readonly depth: number | null
}

/** The definitions that `with` names, and those that the queries in it name. A name that there is not is passed over. */
export function relatedDefinitions(
  registry: Registry,
  definition: AnyDefinition,
  relations: unknown,
  depth: number | null = definition.pattern.length,
): RelatedDefinition[] {
  if (typeof relations !== 'object' || relations === null) return []
  return Object.entries(relations).flatMap(([name, asked]: [string, unknown]) => {
    if (asked === false) return []
    const reference = Object.hasOwn(definition.references, name) ? definition.references[name] : undefined
    const related = reference ?? registry.byName(name)
    if (related === undefined) return []
    const relatedDepth = reference === undefined ? depth : null
    const nested = typeof asked === 'object' && asked !== null && 'with' in asked ? asked.with : undefined
    return [
      { definition: related, depth: relatedDepth },
      ...relatedDefinitions(registry, related, nested, relatedDepth),
    ]
  })
}
