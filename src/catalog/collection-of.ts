import type { AnyDefinition } from '../schema/definition.types.ts'
import { jsonSchemaOf } from '../schema/json-schema.ts'
import type { Collection } from './catalog.ts'

/** A definition, as the catalogue stores it. */
export function collectionOf(definition: AnyDefinition): Collection {
  const { name, pattern, schema, indexes, references, search } = definition
  const names = Object.entries(references).map(([field, definition]) => [field, definition.name])
  return {
    name,
    pattern,
    schema: jsonSchemaOf(schema),
    indexes,
    references: Object.fromEntries(names),
    ...(search !== undefined && { search: [search] }),
  }
}
