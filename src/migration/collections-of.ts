import { collectionOf } from '../catalog/collection-of.ts'
import type { MigratedCollection } from '../driver/migration.ts'
import { patternText } from '../key/pattern-text.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'

/** The collections of definitions, as in a snapshot. */
export function collectionsOf(definitions: readonly AnyDefinition[]): MigratedCollection[] {
  return definitions
    .map((definition) => {
      const { name, pattern, schema, indexes, references, search } = collectionOf(definition)
      return {
        name,
        pattern: patternText(pattern),
        schema,
        indexes,
        ...(search === undefined ? {} : { search }),
        ...(Object.keys(references).length === 0 ? {} : { references }),
      }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
