import { isDeepStrictEqual } from 'node:util'
import type { JsonSchema } from '../schema/json-schema.ts'

/** Keywords that do not say which values are valid. */
const annotations = new Set([
  '$schema',
  '$id',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  '$comment',
])
const lowerBounds = new Set(['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'])
const upperBounds = new Set(['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'])

/** A schema without what does not say which values are valid. */
export function constraintsOf(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => !annotations.has(keyword)))
}

export function sameConstraints(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(stripped(a), stripped(b))
}

function stripped(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(stripped)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(constraintsOf(schema as JsonSchema)).map(([keyword, value]) => {
      const named = keyword === 'properties' || keyword === '$defs'
      if (!named) return [keyword, stripped(value)]
      return [
        keyword,
        Object.fromEntries(Object.entries(value as object).map(([name, it]) => [name, stripped(it)])),
      ]
    }),
  )
}

/**
 * Whether a schema surely accepts every value that an older one accepts. What JSON Schema has no word for stands as `{}`, which is
 * only the same as itself.
 */
export function accepts(next: JsonSchema, last: JsonSchema): boolean {
  if (sameConstraints(next, last)) return true
  const old = constraintsOf(last)
  const wanted = constraintsOf(next)
  if (Object.keys(old).length === 0 || Object.keys(wanted).length === 0) return false
  if (Array.isArray(old['anyOf'])) return old['anyOf'].every((member: JsonSchema) => accepts(next, member))
  if (Array.isArray(wanted['anyOf']))
    return wanted['anyOf'].some((member: JsonSchema) => accepts(member, last))
  if (Array.isArray(old['type'])) return old['type'].every((type) => accepts(next, ofType(last, type)))
  if (Array.isArray(wanted['type'])) return wanted['type'].some((type) => accepts(ofType(next, type), last))
  return Object.entries(wanted).every(([keyword, value]) => holds(keyword, value, old, wanted))
}

/** What a schema of several types says of one of them: of null, nothing but that it is null. */
function ofType(schema: JsonSchema, type: string): JsonSchema {
  return type === 'null' && valuesOf(schema) === undefined ? { type } : { ...schema, type }
}

function holds(keyword: string, value: unknown, old: JsonSchema, wanted: JsonSchema): boolean {
  const before = old[keyword]
  if (isDeepStrictEqual(value, before)) return true
  if (keyword === 'type') return value === 'number' && before === 'integer' && old['format'] === undefined
  if (keyword === 'enum') return valuesOf(old)?.every((it) => (value as unknown[]).includes(it)) ?? false
  if (keyword === 'properties') return propertiesHold(value as Properties, before as Properties | undefined)
  if (keyword === 'required') {
    return (value as string[]).every((name) => (before as string[] | undefined)?.includes(name))
  }
  // An absent `required` is handled by its absence in `wanted`; the objects of a library leave unknown names out.
  if (keyword === 'additionalProperties' && value === false)
    return wanted['properties'] !== undefined && before === false
  if (keyword === 'items' && isSchema(value) && isSchema(before)) return accepts(value, before)
  if (lowerBounds.has(keyword)) return typeof before === 'number' && before >= (value as number)
  if (upperBounds.has(keyword)) return typeof before === 'number' && before <= (value as number)
  return false
}

type Properties = { readonly [name: string]: JsonSchema }

function propertiesHold(next: Properties, last: Properties = {}): boolean {
  return Object.entries(last).every(([name, schema]) => {
    const wanted = next[name]
    return wanted !== undefined && accepts(wanted, schema)
  })
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The values of an enumeration or a constant. */
export function valuesOf(schema: JsonSchema): readonly unknown[] | undefined {
  if (Array.isArray(schema['enum'])) return schema['enum']
  return 'const' in schema ? [schema['const']] : undefined
}
