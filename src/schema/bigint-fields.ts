import { Fields, isBigint } from './fields.ts'
import type { JsonSchema } from './json-schema.ts'

/** Those of the fields of a known schema that are bigints wherever they are there. */
export function bigintFields(fields: readonly string[], schema: JsonSchema | null): string[] {
  const known = new Fields(schema)
  return fields.filter((path) => {
    const field = known.at(path.split('.'))
    return field !== null && isBigint(field.types)
  })
}
