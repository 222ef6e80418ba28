import { isDeepStrictEqual } from 'node:util'
import { parseJson } from '../value/parse-json.ts'
import { constraintsOf } from './constraints.ts'
import { classOf, type JsonSchema } from './json-schema.ts'

const lowerBounds = new Set(['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'])
const upperBounds = new Set(['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'])

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
 * Whether a schema surely accepts every value that an older one accepts. `{}` stands for whatever JSON Schema cannot express, so it
 * only accepts itself.
 */
export function accepts(next: JsonSchema, last: JsonSchema): boolean {
  if (sameConstraints(next, last)) return true
  const old = constraintsOf(last)
  const wanted = constraintsOf(next)
  if (Object.keys(old).length === 0 || Object.keys(wanted).length === 0) return false
  const oldMembers = membersOf(old)
  if (oldMembers !== undefined) return oldMembers.every((member) => accepts(next, member))
  const wantedMembers = membersOf(wanted)
  if (wantedMembers !== undefined) return wantedMembers.some((member) => accepts(member, last))
  if (Array.isArray(old['type'])) return old['type'].every((type) => accepts(next, ofType(last, type)))
  if (Array.isArray(wanted['type'])) return wanted['type'].some((type) => accepts(ofType(next, type), last))
  return (
    classOf(wanted) === classOf(old) &&
    propertiesHold(wanted, old) &&
    Object.entries(wanted).every(([keyword, value]) => holds(keyword, value, old))
  )
}

/** Whether both surely accept the same values, for example as two releases of a library write the same schema. */
export function sameValues(a: JsonSchema, b: JsonSchema): boolean {
  const [one, other] = [namedFormats(a), namedFormats(b)]
  return accepts(one, other) && accepts(other, one)
}

/** The schema without the patterns that stand beside a named format: their text depends on the library. */
function namedFormats(schema: JsonSchema): JsonSchema {
  const text = JSON.stringify(schema, (_, value) =>
    typeof value?.format === 'string' && typeof value.pattern === 'string'
      ? { ...value, pattern: '' }
      : value,
  )
  return parseJson(text) as JsonSchema
}

/** The alternatives of a union. Those of `oneOf` count if no value can match two of them. */
function membersOf(schema: JsonSchema): readonly JsonSchema[] | undefined {
  if (Array.isArray(schema['anyOf'])) return schema['anyOf']
  const { oneOf } = schema as { readonly oneOf?: unknown }
  return Array.isArray(oneOf) && isDiscriminated(oneOf) ? oneOf : undefined
}

/** Whether the members all require some field whose values differ in each of them. */
function isDiscriminated(members: readonly JsonSchema[]): boolean {
  const { required = [] } = (members[0] ?? {}) as ObjectSchema
  return required.some((name) => {
    const values = members.map((member) => {
      const { required = [], properties = {} } = member as ObjectSchema
      return required.includes(name) && Object.hasOwn(properties, name)
        ? valuesOf(properties[name]!)
        : undefined
    })
    const all = values.flatMap((it) => it ?? [])
    return !values.includes(undefined) && new Set(all).size === all.length
  })
}

/** The part of a schema with several types that concerns this one; for null, only that it is null. */
function ofType(schema: JsonSchema, type: string): JsonSchema {
  return type === 'null' && valuesOf(schema) === undefined ? { type } : { ...schema, type }
}

function holds(keyword: string, value: unknown, old: JsonSchema): boolean {
  const before = old[keyword]
  if (keyword === 'properties' || isDeepStrictEqual(value, before)) return true
  if (keyword === 'type') return value === 'number' && before === 'integer'
  if (keyword === 'enum') return valuesOf(old)?.every((it) => (value as unknown[]).includes(it)) ?? false
  if (keyword === 'required') {
    return (value as string[]).every((name) => (before as string[] | undefined)?.includes(name))
  }
  if (keyword === 'additionalProperties' && before === false) return true
  const ofMembers = keyword === 'items' || keyword === 'additionalProperties' || keyword === 'propertyNames'
  if (ofMembers && isSchema(value) && isSchema(before)) return accepts(value, before)
  if (lowerBounds.has(keyword)) return typeof before === 'number' && before >= (value as number)
  if (upperBounds.has(keyword)) return typeof before === 'number' && before <= (value as number)
  return false
}

interface ObjectSchema {
  readonly properties?: { readonly [name: string]: JsonSchema }
  readonly required?: readonly string[]
  readonly additionalProperties?: unknown
}

/** Whether the new schema accepts every field that the old one declares, or allows undeclared. */
function propertiesHold(wanted: ObjectSchema, old: ObjectSchema): boolean {
  const { properties: next = {}, additionalProperties: rest } = wanted
  const { properties: last = {}, additionalProperties: others } = old
  const kept = Object.entries(last).every(([name, schema]) => {
    if (Object.hasOwn(next, name)) return accepts(next[name]!, schema)
    // A library may drop undeclared fields or keep them: in doubt, the old field does not fit.
    return isSchema(rest) ? accepts(rest, schema) : wanted.properties === undefined && rest === undefined
  })
  const added = Object.keys(next).filter((name) => !Object.hasOwn(last, name))
  return kept && added.every((name) => !isSchema(others) || accepts(next[name]!, others))
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The values of an enumeration or a constant, or of a union of these and null. */
export function valuesOf(schema: JsonSchema): readonly unknown[] | undefined {
  if (Array.isArray(schema['enum'])) return schema['enum']
  if ('const' in schema) return [schema['const']]
  if (!Array.isArray(schema['anyOf'])) return undefined
  const values = schema['anyOf'].map((member: JsonSchema) =>
    member['type'] === 'null' ? [null] : valuesOf(member),
  )
  return values.includes(undefined) ? undefined : values.flat()
}
