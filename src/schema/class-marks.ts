import { isPlainObject } from '../value/plain-object.ts'
import { constraintsOf } from './constraints.ts'
import { nameOfStep } from './json-pointer.ts'
import { classOf, type JsonSchema } from './json-schema.ts'
import { keywordText } from './keyword-text.ts'
import { patternFormat, uriFormat } from './text-formats.ts'
import { checkedOnly, type Unsaid } from './unsaid.ts'

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

/**
 * A schema of the catalogue, for the results of `markedValue`: where it says object, it accepts only plain ones. `root` is the whole,
 * to which references refer.
 */
export function markedSchema(schema: unknown, root: unknown = schema): unknown {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return schema
  const json = checkedOnly(schema as JsonSchema)
  const stored = classOf(json)
  if (stored !== undefined) return classSchema(stored, json['bigints'])
  const known = Object.entries(json).filter(([keyword]) => keyword !== 'pattern' && keyword !== 'format')
  const entries = known.map(([keyword, value]) => [keyword, markedKeyword(keyword, value, root)])
  const copy: Record<string, unknown> = Object.fromEntries(entries)
  Object.assign(copy, markedFormat(json))
  if (saysObject(json)) copy['properties'] = { ...(copy['properties'] as object), [classMark]: false }
  const { required } = json
  if (Array.isArray(required)) {
    const names = required.filter((name: string) => !mayBeUndefined(fieldOf(json, name), root))
    copy['required'] = names.map((name: string) => name.toWellFormed())
  }
  if ((json as Unsaid).undefinedItems === true) {
    const { items, prefixItems } = copy
    if (isObject(items)) copy['items'] = orElse(['undefined'], items)
    if (Array.isArray(prefixItems)) {
      copy['prefixItems'] = prefixItems.map((item) => orElse(['undefined'], item))
    }
  }
  const also = alsoOf(json)
  return also.length === 0 ? copy : orElse(also, copy)
}

/** The pattern and the format of a text. A pattern is what the library really checks; a format is only roughly that. */
function markedFormat({ pattern, format, flags }: JsonSchema): JsonSchema {
  const named = format === undefined ? {} : { formatName: format }
  if (typeof pattern === 'string') {
    const checked = patternFormat(pattern, typeof flags === 'string' ? flags : undefined)
    return checked === undefined ? named : { ...named, format: checked, patternText: pattern }
  }
  return format === undefined ? named : { ...named, format: format === 'uri' ? uriFormat : format }
}

/** JSON has no numbers that are not finite: where a number is null, it was one of them. */
function alsoOf(json: JsonSchema): readonly string[] {
  const { also } = json as Unsaid
  if (Array.isArray(also)) return also
  const values = 'const' in json ? [json['const']] : json['enum']
  const isNumber = json['type'] === 'number' && Array.isArray(values) && values.includes(null)
  return isNumber ? ['NaN', 'Infinity', '-Infinity'] : []
}

/** A marked schema that also accepts these values. */
function orElse(also: readonly string[], schema: unknown): JsonSchema {
  const isAlso = also.map((text) =>
    text.endsWith('Infinity')
      ? { const: Number(text) }
      : { type: 'object', properties: { [classMark]: { const: text } }, required: [classMark] },
  )
  return { if: { anyOf: isAlso }, else: schema }
}

function fieldOf({ properties, additionalProperties }: JsonSchema, name: string): unknown {
  const isNamed = isObject(properties) && Object.hasOwn(properties, name)
  return isNamed ? (properties as JsonSchema)[name] : additionalProperties
}

/** Whether a schema accepts what JSON Schema cannot express, which may be undefined. `depth`: a reference may lead to itself. */
function mayBeUndefined(schema: unknown, root: unknown, depth = 0): boolean {
  if (!isObject(schema) || depth > 20) return schema === true
  if ((schema as Unsaid).also?.includes('undefined')) return true
  const accepted = (part: unknown) => mayBeUndefined(part, root, depth + 1)
  return Object.entries(constraintsOf(schema as JsonSchema)).every(([keyword, value]) => {
    if (keyword === '$defs' || keyword === '$ref')
      return keyword === '$defs' || accepted(partAt(root, String(value)))
    if (!Array.isArray(value)) return false
    return keyword === 'allOf' ? value.every(accepted) : choices.has(keyword) && value.some(accepted)
  })
}

const choices: ReadonlySet<string> = new Set(['anyOf', 'oneOf'])

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

function markedKeyword(keyword: string, value: unknown, root: unknown): unknown {
  const markedPart = (part: unknown) => markedSchema(part, root)
  if (named.has(keyword) && isObject(value)) {
    const kept = Object.entries(value).filter(([name]) => keyword !== 'patternProperties' || isPattern(name))
    return Object.fromEntries(kept.map(([name, it]) => [name.toWellFormed(), markedPart(it)]))
  }
  if (listed.has(keyword) && Array.isArray(value)) return value.map(markedPart)
  if (single.has(keyword)) return Array.isArray(value) ? value.map(markedPart) : markedPart(value)
  return value
}

/** A library may write patterns in another dialect; those are not checked. */
function isPattern(pattern: string): boolean {
  try {
    new RegExp(pattern, 'u')
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
  'propertyNames',
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
    } else part = (part as JsonSchema)[nameOfStep(step)]
  }
  return part
}

/** The path that a JSON pointer describes, and what is wrong there. */
export function complaint(
  schema: unknown,
  { instanceLocation, keyword, keywordLocation, error }: Complaint,
): { path: string[]; message: string } {
  const names = instanceLocation.split('/').slice(1).map(nameOfStep)
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
