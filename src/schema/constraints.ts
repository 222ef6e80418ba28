import type { JsonSchema } from './json-schema.ts'

/** Keywords that do not restrict values. The last four only say what JSON Schema has no words for: `unsaid.ts`. */
const annotations = new Set([
  '$schema',
  '$id',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  '$comment',
  'flags',
  'also',
  'undefinedItems',
  'unchecked',
])

/** A schema without the keywords that do not restrict values. */
export function constraintsOf(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => !annotations.has(keyword)))
}
