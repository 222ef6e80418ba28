import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type Anatomy, type Check, exactLeaf, isClosed, type Result } from './anatomy.ts'
import { areIdempotent, normalizerOf } from './normalizer.ts'

/** What a schema of Valibot 1 says about itself. */
export interface ValibotSchema extends StandardSchemaV1 {
  readonly kind: 'schema'
  readonly type: string
  readonly pipe?: readonly [ValibotSchema, ...PipeItem[]]
  readonly wrapped?: ValibotSchema
  readonly [name: string]: unknown
}

type PipeItem = ValibotSchema | Action

interface Action {
  readonly kind: 'validation' | 'transformation' | 'metadata'
  readonly type: string
  readonly operation?: unknown
  '~run'(dataset: Dataset, config: object): Dataset | Promise<Dataset>
}

interface Dataset {
  readonly typed: boolean
  readonly value: unknown
  readonly issues?: StandardSchemaV1.Issue[]
}

const dropped = ['__proto__', 'prototype', 'constructor']

type AnatomyOf = (schema: StandardSchemaV1) => Anatomy

export function isValibot(schema: StandardSchemaV1): schema is ValibotSchema {
  return schema['~standard'].vendor === 'valibot' && '~run' in schema && 'kind' in schema
}

/** The anatomy of a Valibot schema; `of` returns that of its parts. */
export function valibotAnatomy(schema: ValibotSchema, of: AnatomyOf): Anatomy {
  const anatomy = schema.pipe === undefined ? bare(schema, of) : piped(schema, schema.pipe, of)
  return 'fallback' in schema ? withFallback(schema, anatomy) : anatomy
}

/** The schema does not check its own fallback. */
function withFallback(schema: ValibotSchema, anatomy: Anatomy): Anatomy {
  if (!isClosed(anatomy) || typeof schema['fallback'] === 'function')
    return { type: 'transform', schema, output: null }
  const output = standard((value) => {
    const result = schema['~standard'].validate(value)
    return result instanceof Promise ? result.then((it) => unfallen(it, value)) : unfallen(result, value)
  })
  return { type: 'leaf', schema, output, exact: false, closed: true }

  function unfallen(result: Result, value: unknown): Result {
    const fallen = !result.issues && result.value === schema['fallback'] && value !== schema['fallback']
    return fallen ? { issues: [{ message: 'is not what the schema outputs' }] } : result
  }
}

function bare(schema: ValibotSchema, of: AnatomyOf): Anatomy {
  const part = (name: string) => of(schema[name] as ValibotSchema)
  const parts = (name: string) => (schema[name] as ValibotSchema[]).map(of)
  switch (schema.type) {
    case 'object':
    case 'loose_object':
    case 'strict_object':
    case 'object_with_rest':
      return objectAnatomy(schema, of)
    case 'array':
      return { type: 'list', schema, items: [], rest: part('item') }
    case 'tuple':
    case 'strict_tuple':
      return { type: 'list', schema, items: parts('items'), rest: null }
    case 'tuple_with_rest':
      return { type: 'list', schema, items: parts('items'), rest: part('rest') }
    case 'record':
      return { type: 'record', schema, key: part('key'), value: part('value'), dropped }
    case 'map':
      return { type: 'collection', schema, key: part('key'), value: part('value') }
    case 'set':
      return { type: 'collection', schema, key: null, value: part('value') }
    case 'union':
    case 'variant':
      return { type: 'choice', schema, options: parts('options') }
    case 'intersect':
      return { type: 'all', schema, parts: parts('options') }
    case 'optional':
    case 'undefinedable':
      return maybe(schema, part('wrapped'), [undefined])
    case 'nullable':
      return maybe(schema, part('wrapped'), [null])
    case 'nullish':
      return maybe(schema, part('wrapped'), [null, undefined])
    case 'exact_optional':
      return part('wrapped')
    case 'non_optional':
    case 'non_nullable':
    case 'non_nullish': {
      const { wrapped } = schema
      const inner = wrapped!.pipe === undefined ? wrapped!.wrapped : undefined
      return of(inner ?? wrapped!)
    }
    case 'lazy':
      return lazy(schema, of)
    case 'promise':
      return { type: 'transform', schema, output: null }
    // A loose tuple keeps unknown items.
    default:
      return schema.type === 'loose_tuple' && !parts('items').every(isClosed)
        ? { type: 'transform', schema, output: null }
        : exactLeaf(schema)
  }
}

function maybe(schema: ValibotSchema, inner: Anatomy, empty: readonly (undefined | null)[]): Anatomy {
  return { type: 'maybe', schema, empty, inner, substitutes: schema['default'] !== undefined }
}

function objectAnatomy(schema: ValibotSchema, of: AnatomyOf): Anatomy {
  const entries = Object.entries(schema['entries'] as Record<string, ValibotSchema>)
  const optional = new Map<string, (() => unknown) | null>()
  for (const [name, entry] of entries) {
    if (entry.type !== 'exact_optional') continue
    const { default: given } = entry
    if (given === undefined) optional.set(name, null)
    else optional.set(name, () => (typeof given === 'function' ? given() : given))
  }
  return {
    type: 'object',
    schema,
    fields: new Map(entries.map(([name, entry]) => [name, of(entry)])),
    optional,
    rest: restOf(schema, of),
    dropped,
  }
}

function restOf(schema: ValibotSchema, of: AnatomyOf): Anatomy | 'drop' | 'keep' | 'refuse' {
  if (schema.type === 'loose_object') return 'keep'
  if (schema.type === 'strict_object') return 'refuse'
  return schema.type === 'object_with_rest' ? of(schema['rest'] as ValibotSchema) : 'drop'
}

/** If the getter needs the value, or is asynchronous, its schema cannot be known in advance. */
function lazy(schema: ValibotSchema, of: AnatomyOf): Anatomy {
  const getter = schema['getter'] as (input: unknown) => ValibotSchema
  if (getter.length > 0 || schema['async'] === true) return { type: 'opaque', schema }
  let made: Anatomy | undefined
  return {
    type: 'lazy',
    schema,
    get: () => {
      made ??= of(getter(undefined))
      return made
    },
  }
}

function piped(
  schema: ValibotSchema,
  [base, ...items]: readonly [ValibotSchema, ...PipeItem[]],
  of: AnatomyOf,
): Anatomy {
  /** The output of the items so far; `null` if unknown. */
  let output: Anatomy | null = of(base)
  let isOneWay = false
  let checks: Action[] = []
  let isChecked = false
  const methods: string[] = []
  for (const item of items) {
    if (item.kind === 'schema') {
      const next = of(item)
      isOneWay ||= !(output?.type === 'leaf' && output.closed && next.type === 'leaf' && next.exact)
      output = next
      checks = []
    } else if (item.kind === 'validation') {
      checks.push(item)
    } else if (item.kind === 'transformation' && !unchanging.has(item.type)) {
      const method = normalizers.get(item.type) ?? normalizerOf(item.operation)
      if (method === null || output?.type !== 'leaf') {
        isOneWay = true
        output = null
      } else {
        methods.push(method)
        isChecked ||= checks.length > 0
      }
      checks = []
    }
  }
  const check = checks.length === 0 ? null : checkOf(checks)
  if (output === null || isOneWay || !areIdempotent(methods))
    return { type: 'transform', schema, output: checkedOutput(output, check) }
  if (output.type !== 'leaf')
    return check === null ? output : { type: 'checked', schema, inner: output, check }
  if (methods.length === 0) return { ...output, schema, output: schema }
  const brought = check === null ? output.output : followed(output.output, check)
  return { type: 'leaf', schema, output: brought, exact: false, closed: output.closed && !isChecked }
}

/** The output after a transformation that cannot be reversed. */
function checkedOutput(output: Anatomy | null, check: Check | null): Anatomy | null {
  if (check === null) return output
  if (output === null) return exactLeaf(standard(check))
  return { type: 'checked', schema: followed(output.schema, check), inner: output, check }
}

function followed(schema: StandardSchemaV1, check: Check): StandardSchemaV1 {
  return standard((value) => {
    const result = schema['~standard'].validate(value)
    const next = (it: Result) => (it.issues ? it : check(it.value))
    return result instanceof Promise ? result.then(next) : next(result)
  })
}

/** Transformations that only describe a value. */
const unchanging: ReadonlySet<string> = new Set(['readonly', 'brand', 'flavor', 'guard'])

/** Transformations that leave their own results unchanged, with the methods that they call. */
const normalizers: ReadonlyMap<string, string> = new Map([
  ['trim', 'trim'],
  ['trim_start', 'trimStart'],
  ['trim_end', 'trimEnd'],
  ['to_lower_case', 'toLowerCase'],
  ['to_upper_case', 'toUpperCase'],
  ['normalize', 'normalize'],
  ['to_min_value', 'max'],
  ['to_max_value', 'min'],
])

function checkOf(checks: readonly Action[]): Check {
  return (output) => {
    let dataset: Dataset | Promise<Dataset> = { typed: true, value: output }
    for (const check of checks) {
      dataset =
        dataset instanceof Promise ? dataset.then((it) => check['~run'](it, {})) : check['~run'](dataset, {})
    }
    return dataset instanceof Promise ? dataset.then(resultOf) : resultOf(dataset)
  }
}

function resultOf({ value, issues }: Dataset): Result {
  return issues ? { issues } : { value }
}

function standard(validate: (value: unknown) => Result | Promise<Result>): StandardSchemaV1 {
  return { '~standard': { version: 1, vendor: 'valkeyrie', validate } }
}
