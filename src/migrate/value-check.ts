import { z } from 'zod'
import type { MigratedCollection } from '../driver/sqlite/migrations/folder.ts'
import type { Key } from '../key.types.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import { type JsonSchema, jsonSchemaOf } from '../schema/json-schema.ts'
import { validate } from '../schema/validate.ts'
import { encodeValue } from '../value/codec.ts'
import { sameConstraints } from './accepts.ts'

/** Gives the value to store, or throws what is wrong with it. */
export type CheckValue = (key: Key, value: unknown) => unknown

/**
 * Holds values against the schema that a migration leads to. Where later migrations have changed it, its JSON Schema in the
 * snapshot is what is left of it.
 */
export function valueCheck(
  collection: MigratedCollection,
  definitions: readonly AnyDefinition[],
): CheckValue {
  const { name, schema } = collection
  const declared = definitions.find((definition) => definition.name === name)
  if (declared !== undefined && sameConstraints(jsonSchemaOf(declared.schema), schema)) {
    return (key, value) => validate(declared, key, value)
  }
  if (schema === null) return (_, value) => value
  const plain = z.fromJSONSchema(storedForm(schema as JsonSchema) as Parameters<typeof z.fromJSONSchema>[0])
  return (_, value) => {
    const stored = encodeValue(value).value
    if (typeof stored === 'string') plain.parse(JSON.parse(stored))
    return value
  }
}

/** The schema of the JSON that a value is stored as, where a bigint is text. */
function storedForm(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(storedForm)
  if (typeof schema !== 'object' || schema === null) return schema
  if ('format' in schema && schema.format === 'bigint') return { type: 'string' }
  return Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, storedForm(value)]))
}
