import { isPlainObject } from '../value/plain-object.ts'
import { classOf, type JsonSchema } from './json-schema.ts'
import { keywordText } from './keyword-text.ts'

/** An object with this name stands for a value that JSON cannot express; its value is the class. */
const classMark = '\0class'

/** Types that only this package knows, as the text of `$comment`. */
const wanted = { Date: 'a Date', bigint: 'a bigint' } as const

/**
 * A value as JSON, with marked objects for what JSON cannot express: a Date, a bigint, NaN, a Map. Leaves out undefined fields,
 * because JSON Schema only knows missing ones. `markedSchema` makes a JSON Schema distinguish marked objects from plain ones.
 */
export function markedValue(value: unknown): unknown {
  return mark(value, new Set())
}

function mark(value: unknown, within: Set<object>): unknown {
  if (typeof value === 'number' && Number.isNaN(value)) return marked('NaN')
  if (typeof value === 'bigint') return { ...marked('bigint'), digits: String(value) }
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value
  if (typeof value !== 'object') return marked(typeof value)
  if (within.has(value)) return marked('an object that contains itself')
  within.add(value)
  try {
    if (Array.isArray(value)) return Array.from(value, (item) => mark(item, within))
    if (!isPlainObject(value))
      return { ...marked(classNameOf(value)), ...(value instanceof Date && { text: value.toJSON() }) }
    const fields = Object.entries(value).filter(([, field]) => field !== undefined)
    // The validator makes URIs of names, which fails for half a surrogate pair.
    return Object.fromEntries(fields.map(([name, field]) => [name.toWellFormed(), mark(field, within)]))
  } finally {
    within.delete(value)
  }
}

function marked(name: string): Record<string, string> {
  return { [classMark]: name }
}

function classNameOf(value: object): string {
  if (value instanceof Date && Number.isNaN(value.getTime())) return 'an invalid Date'
  const maker: unknown = value.constructor
  return typeof maker === 'function' && maker.name !== '' ? maker.name : 'a class without a name'
}

/** A schema of the catalogue, for the results of `markedValue`: where it says object, it accepts only plain ones. */
export function markedSchema(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return schema
  const json = schema as JsonSchema
  const stored = classOf(json)
  if (stored !== undefined) return classSchema(stored, json['bigints'])
  const known = Object.entries(json).filter(([keyword, value]) =>
    // A pattern is what the library really checks; a format is only roughly that.
    keyword === 'format' ? !('pattern' in json) : keyword !== 'pattern' || isPattern(value),
  )
  const entries = known.map(([keyword, value]) => [keyword, markedKeyword(keyword, value)])
  const copy: Record<string, unknown> = Object.fromEntries(entries)
  if ('format' in json) copy['formatName'] = json['format']
  if (saysObject(json)) copy['properties'] = { ...(copy['properties'] as object), [classMark]: false }
  return copy
}

function classSchema(name: 'Date' | 'bigint', bigints: unknown): JsonSchema {
  const $comment = wanted[name]
  if (Array.isArray(bigints))
    return { $comment, enum: bigints.map((digits) => ({ ...marked('bigint'), digits })) }
  return {
    $comment,
    type: 'object',
    properties: { [classMark]: { $comment, const: name } },
    required: [classMark],
  }
}

function markedKeyword(keyword: string, value: unknown): unknown {
  if (named.has(keyword) && isObject(value)) {
    const kept = Object.entries(value).filter(([name]) => keyword !== 'patternProperties' || isPattern(name))
    return Object.fromEntries(kept.map(([name, it]) => [name, markedSchema(it)]))
  }
  if (listed.has(keyword) && Array.isArray(value)) return value.map(markedSchema)
  if (single.has(keyword)) return Array.isArray(value) ? value.map(markedSchema) : markedSchema(value)
  return value
}

/** A library may write patterns in another dialect; those are not checked. */
function isPattern(pattern: unknown): boolean {
  try {
    new RegExp(String(pattern), 'u')
    return true
  } catch {
    return false
  }
}

const named: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
])
const listed: ReadonlySet<string> = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems'])
const single: ReadonlySet<string> = new Set([
  'items',
  'additionalProperties',
  'unevaluatedProperties',
  'unevaluatedItems',
  'additionalItems',
  'contains',
  'not',
  'if',
  'then',
  'else',
])

function saysObject({ type, properties, required, additionalProperties }: JsonSchema): boolean {
  if (type !== undefined) return type === 'object' || (Array.isArray(type) && type.includes('object'))
  return properties !== undefined || required !== undefined || additionalProperties !== undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The part of a schema at a JSON pointer, such as `#/properties/age`; `undefined` if there is no such part. */
function partAt(schema: unknown, pointer: string): unknown {
  let part = schema
  for (const step of pointer.split('/').slice(1)) {
    if (typeof part !== 'object' || part === null) return undefined
    const reference = (part as JsonSchema)['$ref']
    if (step === '$ref') {
      if (typeof reference !== 'string') return undefined
      part = partAt(schema, reference)
    } else part = (part as JsonSchema)[nameOf(step)]
  }
  return part
}

/** The path that a JSON pointer describes, and what is wrong there. */
export function complaint(
  schema: unknown,
  { instanceLocation, keyword, keywordLocation, error }: Complaint,
): { path: string[]; message: string } {
  const names = instanceLocation.split('/').slice(1).map(nameOf)
  // An instance of a class, where the schema expects something else.
  const isClass = names.at(-1) === classMark
  const path = isClass ? names.slice(0, -1) : names
  const asked = keyword === 'false' ? false : partAt(schema, parentOf(keywordLocation))
  const text = isObject(asked) ? (asked as JsonSchema)['$comment'] : undefined
  if (text === wanted.Date || text === wanted.bigint) return { path, message: `must be ${text}` }
  if (isClass) return { path, message: 'must be a plain object' }
  if (asked === false) return { path, message: 'is not a field of the schema' }
  const message = keywordText(keyword, asked) ?? withoutMarks(error)
  return { path: keyword === 'required' ? [...path, missingName(error)] : path, message }
}

/** A complaint of the validator; the locations are JSON pointers. */
export interface Complaint {
  readonly instanceLocation: string
  readonly keyword: string
  readonly keywordLocation: string
  readonly error: string
}

/** The validator gives the name only in its message: `Instance does not have required property "name".` */
function missingName(error: string): string {
  return error.slice(error.indexOf('"') + 1, error.lastIndexOf('"'))
}

function parentOf(pointer: string): string {
  return pointer.slice(0, pointer.lastIndexOf('/'))
}

function withoutMarks(message: string): string {
  return message.replaceAll(JSON.stringify(classMark), '"class"').replaceAll(classMark, 'class')
}

function nameOf(step: string): string {
  return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
}
