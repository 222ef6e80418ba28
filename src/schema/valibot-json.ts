import {
  normalizers,
  type PipeItem,
  unchanging,
  type ValibotSchema,
  withoutEmpty,
} from './anatomy/valibot-schema.ts'
import { bigint, bigintsOf, classOf, date, type JsonSchema } from './json-classes.ts'

/** How to write a schema. */
interface Form {
  /** What stands for a Map or a Set. */
  readonly collection: JsonSchema
  /** Whether objects may have other fields too, because another part of an intersection has them. */
  readonly isPart: boolean
}

/**
 * The output of a Valibot schema as JSON Schema: its fields and types. Of its checks it says only which numbers are integers, so it accepts
 * all outputs and some other values. `{}` stands for whatever a function makes.
 */
export function valibotJson(schema: ValibotSchema, collection: JsonSchema): JsonSchema {
  const $schema = 'https://json-schema.org/draft/2020-12/schema'
  return { $schema, ...(mayBeUndefined(schema) ? {} : jsonOf(schema, { collection, isPart: false })) }
}

function jsonOf(schema: ValibotSchema, form: Form): JsonSchema {
  if (schema.pipe === undefined) return bare(schema, form)
  const json = piped(schema.pipe, form)
  // A fallback is checked by nothing.
  return 'fallback' in schema && json['type'] === 'integer' ? { ...json, type: 'number' } : json
}

function piped([base, ...items]: readonly [ValibotSchema, ...PipeItem[]], form: Form): JsonSchema {
  let json = bare(base, form)
  for (const item of items) {
    if (item.kind === 'schema') json = jsonOf(item, form)
    else if (item.kind === 'transformation') json = transformed(json, item.type)
    else if (integers.has(item.type) && json['type'] === 'number') json = { ...json, type: 'integer' }
  }
  return json
}

function transformed(json: JsonSchema, transformation: string): JsonSchema {
  if (unchanging.has(transformation)) return json
  if (!normalizers.has(transformation)) return converted.get(transformation) ?? {}
  // What it makes of one of a few values, or of an integer, is of the same type, and need not be another of them.
  const stored = classOf(json)
  if (stored !== undefined) return stored === 'Date' ? date : bigint
  const { type } = json
  return type === undefined ? {} : { type: type === 'integer' ? 'number' : type }
}

const integers: ReadonlySet<string> = new Set(['integer', 'safe_integer'])

const converted: ReadonlyMap<string, JsonSchema> = new Map([
  ['to_string', { type: 'string' }],
  ['to_number', { type: 'number' }],
  ['to_boolean', { type: 'boolean' }],
  ['to_bigint', bigint],
  ['to_date', date],
  ['stringify_json', { type: 'string' }],
])

/** A schema without its pipe. */
function bare(schema: ValibotSchema, form: Form): JsonSchema {
  const whole: Form = { ...form, isPart: false }
  const part = (name: string) => jsonOf(schema[name] as ValibotSchema, whole)
  const options = () => (schema['options'] as ValibotSchema[]).map((option) => jsonOf(option, form))
  switch (schema.type) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return { type: schema.type }
    case 'date':
      return date
    case 'bigint':
      return bigint
    case 'literal':
      return constants([schema['literal']])
    case 'enum':
    case 'picklist':
      return constants(schema['options'] as unknown[])
    case 'object':
    case 'strict_object':
      return objectJson(schema, whole, form.isPart ? {} : { additionalProperties: false })
    case 'loose_object':
      return objectJson(schema, whole, { additionalProperties: {} })
    case 'object_with_rest':
      return objectJson(schema, whole, { additionalProperties: part('rest') })
    case 'record':
      return { type: 'object', ...namesOf(part('key')), additionalProperties: part('value') }
    case 'array':
      return { type: 'array', items: part('item'), ...undefinedItems([schema['item'] as ValibotSchema]) }
    case 'tuple':
    case 'strict_tuple':
      return tupleJson(schema, whole, false)
    case 'tuple_with_rest':
      return tupleJson(schema, whole, part('rest'))
    case 'loose_tuple':
      return tupleJson(schema, whole, {})
    case 'map':
    case 'set':
      return form.collection
    case 'union':
    case 'variant':
      return { anyOf: options() }
    case 'intersect':
      return {
        allOf: (schema['options'] as ValibotSchema[]).map((one) => jsonOf(one, { ...form, isPart: true })),
      }
    case 'optional':
    case 'undefinedable':
    case 'exact_optional':
      return jsonOf(schema.wrapped!, form)
    case 'nullable':
    case 'nullish':
      return { anyOf: [jsonOf(schema.wrapped!, form), { type: 'null' }] }
    case 'non_optional':
    case 'non_nullable':
    case 'non_nullish':
      return jsonOf(withoutEmpty(schema), form)
    // One that is lazy may contain itself.
    default:
      return {}
  }
}

function constants(values: readonly unknown[]): JsonSchema {
  if (values.every((value) => typeof value === 'bigint')) return bigintsOf(values as bigint[])
  const isPlain = (value: unknown) =>
    typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
  if (!values.every(isPlain)) return {}
  const types = new Set(values.map((value) => typeof value))
  const type = types.size === 1 ? { type: [...types][0] } : {}
  return values.length === 1 ? { ...type, const: values[0] } : { ...type, enum: values }
}

function objectJson(schema: ValibotSchema, form: Form, others: JsonSchema): JsonSchema {
  const entries = Object.entries(schema['entries'] as Record<string, ValibotSchema>)
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, entry]) => [name, jsonOf(entry, form)])),
    required: entries.filter(([, entry]) => !mayBeUndefined(entry)).map(([name]) => name),
    ...others,
  }
}

/** The names of a record that has only these. */
function namesOf(key: JsonSchema): JsonSchema {
  return 'enum' in key || 'const' in key ? { propertyNames: key } : {}
}

function tupleJson(schema: ValibotSchema, form: Form, items: JsonSchema | false): JsonSchema {
  const parts = schema['items'] as ValibotSchema[]
  return {
    type: 'array',
    prefixItems: parts.map((part) => jsonOf(part, form)),
    items,
    minItems: parts.findLastIndex((part) => !mayBeUndefined(part)) + 1,
    ...undefinedItems([
      ...parts,
      ...(schema.type === 'tuple_with_rest' ? [schema['rest'] as ValibotSchema] : []),
    ]),
  }
}

function undefinedItems(items: readonly ValibotSchema[]): JsonSchema {
  return items.some(mayBeUndefined) ? { undefinedItems: true } : {}
}

/** Whether its output may be `undefined`, as far as it shows. */
function mayBeUndefined(schema: ValibotSchema): boolean {
  const { pipe } = schema
  if (pipe === undefined) return bareMayBeUndefined(schema)
  const [base, ...items] = pipe
  return items.reduce((may, item) => {
    if (item.kind === 'schema') return mayBeUndefined(item)
    return (
      may ||
      (item.kind === 'transformation' && Object.keys(transformed({ type: 'string' }, item.type)).length === 0)
    )
  }, bareMayBeUndefined(base))
}

function bareMayBeUndefined(schema: ValibotSchema): boolean {
  const { type, wrapped } = schema
  switch (type) {
    case 'optional':
    case 'undefinedable':
    case 'exact_optional':
    case 'nullish':
      return schema['default'] === undefined || typeof schema['default'] === 'function'
    case 'nullable':
      return mayBeUndefined(wrapped!)
    case 'union':
    case 'variant':
    case 'intersect':
      return (schema['options'] as ValibotSchema[]).some(mayBeUndefined)
    case 'literal':
      return schema['literal'] === undefined
    case 'non_optional':
    case 'non_nullish':
      return false
    case 'non_nullable':
      return mayBeUndefined(wrapped!)
    default:
      return unknownTypes.has(type)
  }
}

const unknownTypes: ReadonlySet<string> = new Set([
  'any',
  'unknown',
  'undefined',
  'void',
  'custom',
  'lazy',
  'promise',
])
