import { joinPath } from '../value/dotted-path.ts'
import { nameOfStep } from './json-pointer.ts'
import { classOf, type JsonSchema } from './json-schema.ts'

/** The types of JSON that a field may have, as far as its schema shows. */
export interface FieldTypes {
  readonly number: boolean
  readonly string: boolean
  readonly boolean: boolean
  /** A Date, stored as ISO 8601 text. */
  readonly date: boolean
  /** A bigint, stored as decimal digits, which do not order like the numbers. */
  readonly bigint: boolean
  /** An object or an array. */
  readonly structure: boolean
  /** Null, or missing. */
  readonly absent: boolean
}

/** A field of the values of a collection, or of the elements of one of its arrays, and its possible types. */
export interface Field {
  /** The names joined by `joinPath`; unique for each field. */
  readonly path: string
  /** The names that lead there; empty for the value, or the element, itself. */
  readonly names: readonly string[]
  readonly types: FieldTypes
}

/** No type at all. */
export const none: FieldTypes = {
  number: false,
  string: false,
  boolean: false,
  date: false,
  bigint: false,
  structure: false,
  absent: false,
}

/** Any type: no schema describes the field. */
const anyTypes: FieldTypes = {
  number: true,
  string: true,
  boolean: true,
  date: true,
  bigint: true,
  structure: true,
  absent: true,
}

/** A place in a schema. One of `schemas` holds there; each is without `anyOf`, `oneOf` and `$ref`. */
export interface Place {
  readonly schemas: readonly JsonSchema[]
  /** Whether the value may be missing here. */
  readonly optional: boolean
}

/** With more alternatives than this, the fields count as unknown. */
const mostAlternatives = 100

/** Finds fields of a schema's output by their names. */
export class Fields {
  readonly root: Place
  readonly #document: JsonSchema

  /** `schema`: the output as JSON Schema; `null` if unknown, and then every name is a field. */
  constructor(schema: JsonSchema | null) {
    this.#document = schema ?? {}
    this.root = { schemas: this.#alternatives(this.#document, 0), optional: false }
  }

  /** The place of a field of the objects at a place; `null` if none of them has it. */
  child(place: Place, name: string): Place | null {
    const schemas: JsonSchema[] = []
    let optional = place.optional
    for (const schema of place.schemas) {
      const found = fieldOf(schema, name)
      if (found === null) {
        optional = true
        continue
      }
      schemas.push(...this.#alternatives(found.schema, 0))
      optional ||= found.optional
    }
    return schemas.length === 0 ? null : { schemas, optional }
  }

  /** The field that these names lead to; `null` if there is none. */
  at(names: readonly string[]): Field | null {
    let place: Place | null = this.root
    for (const name of names) place = place && this.child(place, name)
    return place && fieldAt(names, place)
  }

  /** The place of the elements of the arrays at a place. */
  elements(place: Place): Place {
    const schemas = place.schemas.flatMap((schema) => {
      const { type, items, prefixItems } = schema
      if (type !== undefined && type !== 'array' && !includes(type, 'array')) return []
      const all = [...(Array.isArray(prefixItems) ? prefixItems : []), ...(isObject(items) ? [items] : [])]
      return all.length === 0 ? [{}] : all.flatMap((one) => this.#alternatives(isObject(one) ? one : {}, 0))
    })
    return { schemas, optional: false }
  }

  /** The known names of the fields of the objects at a place. */
  names({ schemas }: Place): string[] {
    return [
      ...new Set(schemas.flatMap(({ properties }) => (isObject(properties) ? Object.keys(properties) : []))),
    ]
  }

  #alternatives(schema: JsonSchema, depth: number): JsonSchema[] {
    if (depth > 20) return [{}]
    const expand = (inner: unknown) => (isObject(inner) ? this.#alternatives(inner, depth + 1) : [{}])
    const { $ref, anyOf, oneOf, allOf } = schema
    if (typeof $ref === 'string') return expand(this.#resolve($ref))
    const choices = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : null
    if (choices !== null) return choices.flatMap(expand)
    if (!Array.isArray(allOf)) return [schema]
    return allOf.map(expand).reduce<JsonSchema[]>(
      (all, next) => {
        if (all.length * next.length > mostAlternatives) return [{}]
        return all.flatMap((a) => next.map((b) => merge(a, b)))
      },
      [{}],
    )
  }

  #resolve(reference: string): unknown {
    if (!reference.startsWith('#')) return {}
    let found: unknown = this.#document
    for (const step of reference.slice(1).split('/').filter(Boolean)) {
      const name = nameOfStep(step)
      found = isObject(found) && Object.hasOwn(found, name) ? found[name] : {}
    }
    return found
  }
}

/** The field with these names, at this place. */
export function fieldAt(names: readonly string[], place: Place): Field {
  return { path: joinPath(names), names, types: typesOf(place) }
}

/** Whether a field is always a bigint, if present. */
export function isBigint({ number, string, boolean, date, bigint, structure }: FieldTypes): boolean {
  return bigint && !number && !string && !boolean && !date && !structure
}

/** The possible types at a place. */
function typesOf({ schemas, optional }: Place): FieldTypes {
  const types = union(schemas.map(typesOfSchema))
  return optional ? { ...types, absent: true } : types
}

function typesOfSchema(schema: JsonSchema): FieldTypes {
  const { type, properties, enum: values, const: constant } = schema
  if (Array.isArray(values)) return union(values.map(typesOfConstant))
  if (Object.hasOwn(schema, 'const')) return typesOfConstant(constant)
  const stored = classOf(schema)
  if (stored !== undefined) return stored === 'Date' ? { ...none, date: true } : { ...none, bigint: true }
  if (type === undefined && isObject(properties)) return { ...none, structure: true }
  const names = Array.isArray(type) ? type : [type]
  return union(names.map((name) => (typeof name === 'string' ? (typesByName[name] ?? anyTypes) : anyTypes)))
}

const onlyAbsent: FieldTypes = { ...none, absent: true }

const typesByName: Record<string, FieldTypes> = {
  // Some schemas accept NaN and the infinities, which are stored as text.
  number: { ...none, number: true },
  integer: { ...none, number: true },
  string: { ...none, string: true },
  boolean: { ...none, boolean: true },
  object: { ...none, structure: true },
  array: { ...none, structure: true },
  null: onlyAbsent,
}

function typesOfConstant(value: unknown): FieldTypes {
  if (value === null) return onlyAbsent
  return typesByName[typeof value] ?? anyTypes
}

function union(all: readonly FieldTypes[]): FieldTypes {
  const may = (kind: keyof FieldTypes) => all.some((one) => one[kind])
  return {
    number: may('number'),
    string: may('string'),
    boolean: may('boolean'),
    date: may('date'),
    bigint: may('bigint'),
    structure: may('structure'),
    absent: may('absent'),
  }
}

function fieldOf(schema: JsonSchema, name: string): { schema: JsonSchema; optional: boolean } | null {
  const { type, properties, required, additionalProperties, patternProperties } = schema
  if (isObject(properties) && Object.hasOwn(properties, name)) {
    const field = properties[name]
    const optional = !(Array.isArray(required) && required.includes(name))
    return { schema: isObject(field) ? field : {}, optional }
  }
  if (isObject(additionalProperties)) return { schema: additionalProperties, optional: true }
  if (additionalProperties === true || isObject(patternProperties)) return { schema: {}, optional: true }
  const open = properties === undefined && additionalProperties === undefined
  const mayBeObject = type === undefined ? !hasKeyword(schema) : type === 'object' || includes(type, 'object')
  return open && mayBeObject ? { schema: {}, optional: true } : null
}

/** Whether a schema without a type restricts its values. */
function hasKeyword(schema: JsonSchema): boolean {
  return 'const' in schema || 'enum' in schema || 'format' in schema
}

function includes(names: unknown, name: string): boolean {
  return Array.isArray(names) && names.includes(name)
}

/**
 * Both schemas at once. Fields that only one of them knows are allowed; `additionalProperties: false` remains only if both have it.
 */
function merge(a: JsonSchema, b: JsonSchema): JsonSchema {
  const merged: Record<string, unknown> = { ...a, ...b }
  if (isObject(a['properties']) && isObject(b['properties'])) {
    const properties: Record<string, unknown> = { ...a['properties'], ...b['properties'] }
    for (const name of Object.keys(a['properties'])) {
      if (Object.hasOwn(b['properties'], name))
        properties[name] = { allOf: [a['properties'][name], b['properties'][name]] }
    }
    merged['properties'] = properties
  }
  if (Array.isArray(a['required']) && Array.isArray(b['required']))
    merged['required'] = [...a['required'], ...b['required']]
  const further = [b['additionalProperties'], a['additionalProperties']]
  const open = further.find((one) => isObject(one) || one === true)
  if (open !== undefined) merged['additionalProperties'] = open
  return merged
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
