import { isDeepStrictEqual } from 'node:util'
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import type { JsonSchema } from '../schema/json-schema.ts'
import type { DefaultOf } from './compare-schemas.ts'

/**
 * The defaults of a schema, as far as its library tells them. One that is computed, or that is no plain JSON (a Date, a Map),
 * counts as none: only a program can fill it in.
 */
export function defaultsOf(schema: StandardSchemaV1): DefaultOf {
  const first = withDefaults(schema)
  const started = performance.now()
  // A clock that has gone on tells a computed default from a constant.
  while (performance.now() - started < 2);
  const second = withDefaults(schema)
  return (path) => {
    const property = propertyAt(first, path)
    const again = propertyAt(second, path)
    if (property === undefined || !isDeepStrictEqual(property['default'], again?.['default']))
      return undefined
    return isPlain(property) ? property['default'] : undefined
  }
}

function withDefaults(schema: StandardSchemaV1): JsonSchema {
  const standard: StandardSchemaV1.Props & Partial<StandardJSONSchemaV1.Props> = schema['~standard']
  try {
    return (
      standard.jsonSchema?.output({ target: 'draft-2020-12', libraryOptions: { unrepresentable: 'any' } }) ??
      {}
    )
  } catch {
    return {}
  }
}

function propertyAt(schema: JsonSchema, path: readonly string[]): JsonSchema | undefined {
  let at: JsonSchema | undefined = schema
  for (const name of path) at = (at?.['properties'] as Record<string, JsonSchema> | undefined)?.[name]
  return at
}

/** What JSON Schema has no word for, a Date among it, is `{}` but for annotations. */
function isPlain(schema: JsonSchema): boolean {
  const { default: _, ...constraints } = schema
  if (Object.keys(constraints).length === 0) return false
  const { properties = {}, anyOf = [], items, prefixItems = [], additionalProperties } = schema as Nested
  const nested = [...Object.values(properties), ...anyOf, ...prefixItems, items, additionalProperties]
  return nested.every((member) => typeof member !== 'object' || isPlain(member))
}

interface Nested {
  readonly properties?: { readonly [name: string]: JsonSchema }
  readonly anyOf?: readonly JsonSchema[]
  readonly prefixItems?: readonly JsonSchema[]
  readonly items?: JsonSchema | boolean
  readonly additionalProperties?: JsonSchema | boolean
}
