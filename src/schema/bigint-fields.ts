import { Fields, isBigint } from './fields.ts'
import type { JsonSchema } from './json-schema.ts'

/** Which of these fields are always bigints, according to the schema. */
export function bigintFields(fields: readonly string[], schema: JsonSchema | null): string[] {
  const known = new Fields(schema)
  return fields.filter((path) => {
    const field = known.at(path.split('.'))
    return field !== null && isBigint(field.types)
  })
}
