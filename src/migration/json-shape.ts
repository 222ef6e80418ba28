import { constraintsOf } from '../schema/constraints.ts'
import type { JsonSchema } from '../schema/json-schema.ts'

/** An object with named fields. */
export interface Shape {
  readonly properties: { readonly [name: string]: JsonSchema }
  readonly required: ReadonlySet<string>
}

/** The fields of a schema of an object, if nothing else in the schema could refuse a value; `null` for any other schema. */
export function objectOf(schema: JsonSchema): Shape | null {
  const { type, properties, required = [], additionalProperties, ...others } = constraintsOf(schema)
  if (type !== 'object' || typeof properties !== 'object' || Object.keys(others).length > 0) return null
  if (typeof additionalProperties === 'object' && additionalProperties !== null) return null
  return {
    properties: properties as Shape['properties'],
    required: new Set(required as readonly string[]),
  }
}

/** Whether a schema refers to itself or a part of itself: then no list of paths can name all fields. */
export function isRecursive(schema: JsonSchema): boolean {
  return someSchema(schema, (it) => '$ref' in it)
}

/** Whether a schema accepts what JSON Schema cannot express, as z.any() does: such a value may contain itself. */
export function holdsAnything(schema: JsonSchema): boolean {
  return someSchema(schema, (it) => Object.keys(constraintsOf(it)).length === 0)
}

/** Whether a schema, or one of its parts, has a property. */
function someSchema(schema: unknown, has: (schema: JsonSchema) => boolean): boolean {
  if (Array.isArray(schema)) return schema.some((member) => someSchema(member, has))
  if (typeof schema !== 'object' || schema === null) return false
  const { properties, $defs, enum: _values, const: _value, ...rest } = constraintsOf(schema as JsonSchema)
  const named = [...Object.values(properties ?? {}), ...Object.values($defs ?? {})]
  return has(schema as JsonSchema) || [...named, ...Object.values(rest)].some((it) => someSchema(it, has))
}
