import { isDeepStrictEqual } from 'node:util'
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import type { z } from 'zod'
import type { JsonSchema } from '../schema/json-schema.ts'
import type { DefaultOf } from './compare-schemas.ts'
import { holdsAnything, isRecursive } from './json-shape.ts'

/**
 * The defaults of a schema, as far as its library tells them. One that is computed, or that is no plain JSON (a Date, a Map),
 * counts as none: only a program can fill it in.
 */
export async function defaultsOf(schema: StandardSchemaV1): Promise<DefaultOf> {
  // Loaded now and not before: the project's own schemas may be of another library.
  const zod = await import('zod')
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
    return isPlain(property, zod.z) ? property['default'] : undefined
  }
}

function withDefaults(schema: StandardSchemaV1): JsonSchema {
  const standard: StandardSchemaV1.Props & Partial<StandardJSONSchemaV1.Props> = schema['~standard']
  try {
    if ('toJsonSchema' in schema)
      return (schema as ArkType).toJsonSchema({ fallback: { default: () => ({}) } })
    return (
      standard.jsonSchema?.output({ target: 'draft-2020-12', libraryOptions: { unrepresentable: 'any' } }) ??
      {}
    )
  } catch {
    return {}
  }
}

/** ArkType tells defaults of what a type takes, and not of what it gives. */
interface ArkType extends StandardSchemaV1 {
  toJsonSchema(options: { readonly fallback: object }): JsonSchema
}

function propertyAt(schema: JsonSchema, path: readonly string[]): JsonSchema | undefined {
  let at: JsonSchema | undefined = schema
  for (const name of path) {
    const properties = (at?.['properties'] ?? {}) as Record<string, JsonSchema>
    at = Object.hasOwn(properties, name) ? properties[name] : undefined
  }
  return at
}

/**
 * Whether a default is what its schema accepts, and JSON. What JSON Schema has no word for, a Date among it, is `{}` but for
 * annotations, and a number that JSON does not have is null.
 */
function isPlain(schema: JsonSchema, zod: typeof z): boolean {
  if (!('default' in schema) || holdsAnything(schema) || isRecursive(schema)) return false
  try {
    const { default: value, ...plain } = schema
    return zod.fromJSONSchema(plain as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value).success
  } catch {
    return false
  }
}
