import type { Collection } from '../catalog/catalog.ts'
import type { AnyDefinition } from './definition.types.ts'
import { jsonSchemaOf } from './json-schema.ts'

/** A definition as the database keeps it. */
export function collectionOf({ name, pattern, schema, indexes, references }: AnyDefinition): Collection {
  const names = Object.entries(references).map(([field, definition]) => [field, definition.name])
  return { name, pattern, schema: jsonSchemaOf(schema), indexes, references: Object.fromEntries(names) }
}
