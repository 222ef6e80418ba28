import { isDeepStrictEqual } from 'node:util'
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import type { z } from 'zod'
import type { JsonSchema } from '../schema/json-schema.ts'
import { originalOf } from '../schema/stand-in.ts'
import type { DefaultOf } from './compare-schemas.ts'
import { holdsAnything, isRecursive } from './json-shape.ts'

/**
 * The defaults of a schema, as far as its library shows them. A computed default, or one that is not plain JSON (a Date, a Map),
 * does not count: only a program can fill it in.
 */
export async function defaultsOf(schema: StandardSchemaV1): Promise<DefaultOf> {
  // Loaded on demand: the project's own schemas may be of another library.
  const zod = await import('zod')
  const first = withDefaults(schema)
  const started = performance.now()
  // After some time has passed, a computed default differs, and a constant does not.
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
    return standard.jsonSchema?.output({ target: 'draft-2020-12', libraryOptions }) ?? {}
  } catch {
    return {}
  }
}

const libraryOptions = {
  unrepresentable: 'any',
  override({ zodSchema, jsonSchema }: { readonly zodSchema: object; readonly jsonSchema: object }): void {
    const original = originalOf(zodSchema)
    if (original !== undefined) Object.assign(jsonSchema, withDefaults(original))
  },
}

/** ArkType shows the defaults of a type's input, but not of its output. */
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
 * Whether a default is JSON that its schema accepts. `{}`, apart from annotations, stands for what JSON Schema cannot express, such
 * as a Date; and a number that JSON cannot express would be null.
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
