import type { z } from 'zod'
import type { Key } from '../contract/key.types.ts'
import type { MigratedCollection } from '../driver/migration.ts'
import { sameConstraints } from '../schema/accepts.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import { type JsonSchema, jsonSchemaOf } from '../schema/json-schema.ts'
import { trustOutput } from '../schema/validate.ts'
import { encodeValue } from '../value/codec.ts'

/** Returns the value to store, or a promise of it; throws what is wrong with it. */
export type CheckValue = (key: Key, value: unknown) => unknown

/**
 * Checks values against the schema that a migration leads to. If later migrations have changed it, only its JSON Schema in the
 * snapshot is left.
 */
export async function valueCheck(
  collection: MigratedCollection,
  definitions: readonly AnyDefinition[],
): Promise<CheckValue> {
  const { name, schema } = collection
  const declared = definitions.find((definition) => definition.name === name)
  if (declared !== undefined && sameConstraints(jsonSchemaOf(declared.schema), schema)) {
    return (key, value) => trustOutput(declared, key, value)
  }
  const plain = schema && (await plainSchema(schema as JsonSchema))
  if (schema === null || plain === null) return (_, value) => value
  return (_, value) => {
    const declared = declaredOnly(schema as JsonSchema, value)
    const stored = encodeValue(declared).value
    if (typeof stored === 'string') plain.parse(JSON.parse(stored))
    return declared
  }
}

/** A schema of the stored form of values; `null` if Zod does not know all of its keywords. */
async function plainSchema(schema: JsonSchema): Promise<z.ZodType | null> {
  // Loaded on demand: the project's own schemas may be of another library.
  const { z } = await import('zod')
  try {
    return z.fromJSONSchema(storedForm(schema) as Parameters<typeof z.fromJSONSchema>[0])
  } catch {
    return null
  }
}

/** The schema of the JSON in which a value is stored, where a bigint is text. */
function storedForm(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(storedForm)
  if (typeof schema !== 'object' || schema === null) return schema
  if ('format' in schema && schema.format === 'bigint') return { type: 'string' }
  return Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, storedForm(value)]))
}

/**
 * A value as the schema's library would output it: without undeclared fields, and without undefined ones, which would be null in
 * JSON.
 */
function declaredOnly(schema: JsonSchema, value: unknown): unknown {
  const {
    properties = {},
    additionalProperties,
    items,
  } = schema as {
    readonly properties?: { readonly [name: string]: JsonSchema }
    readonly additionalProperties?: unknown
    readonly items?: JsonSchema
  }
  if (Array.isArray(value)) return items ? value.map((member) => declaredOnly(items, member)) : value
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value
  const entries = Object.entries(value).filter(
    ([name, member]) =>
      member !== undefined && (additionalProperties !== false || Object.hasOwn(properties, name)),
  )
  return Object.fromEntries(
    entries.map(([name, member]) => [name, declaredOnly(properties[name] ?? {}, member)]),
  )
}
