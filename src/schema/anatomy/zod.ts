// One file covers all kinds of Zod schemas: each kind takes a few lines, and all read the same undocumented structure.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import {
  type Anatomy,
  bareMessage,
  type Check,
  exactLeaf,
  isClosed,
  isExact,
  isReversible,
  type Result,
} from './anatomy.ts'
import { areIdempotent, normalizerOf } from './normalizer.ts'
import { isOverwrite, keepsFormat } from './overwrites.ts'

/** How a Zod 4 schema, from any copy of the package, describes itself to libraries. */
export interface ZodSchema extends StandardSchemaV1 {
  readonly _zod: {
    readonly def: ZodDefinition
    readonly constr: new (definition: ZodDefinition) => ZodSchema
    readonly traits: ReadonlySet<string>
    readonly optout?: 'optional' | undefined
    run(payload: Payload, context: object): Payload | Promise<Payload>
  }
}

interface ZodDefinition {
  readonly type: string
  readonly checks?: readonly ZodCheck[]
  readonly format?: string
  readonly check?: string
  readonly coerce?: boolean
  readonly innerType?: ZodSchema
  readonly [name: string]: unknown
}

interface ZodCheck {
  readonly _zod: {
    readonly def: {
      readonly check: string
      readonly tx?: unknown
      readonly when?: (payload: Payload) => boolean
    }
    check(payload: Payload): void | Promise<void>
  }
}

interface Payload {
  readonly value: unknown
  readonly issues: RawIssue[]
}

interface RawIssue {
  readonly message?: string
  readonly path?: PropertyKey[]
  readonly continue?: boolean
  readonly inst?: { readonly _zod: { readonly def: { error?(issue: RawIssue): unknown } } }
}

const dropped = ['__proto__']

type AnatomyOf = (schema: StandardSchemaV1) => Anatomy

export function isZod(schema: StandardSchemaV1): schema is ZodSchema {
  return schema['~standard'].vendor === 'zod' && '_zod' in schema
}

/** The anatomy of a Zod schema; `of` returns that of its parts. */
export function zodAnatomy(schema: ZodSchema, of: AnatomyOf): Anatomy {
  const { def } = schema._zod
  const inner = composite(schema, def, of)
  if (inner === null) return leaf(schema, def)
  const checks = def.checks ?? []
  const last = checks.findLastIndex(isOverwrite)
  if (last >= 0) {
    const { constr } = schema._zod
    return { type: 'transform', schema, output: of(new constr({ ...def, checks: checks.slice(last + 1) })) }
  }
  return checks.length === 0 ? inner : { type: 'checked', schema, inner, check: checkOf(checks) }
}

function composite(schema: ZodSchema, def: ZodDefinition, of: AnatomyOf): Anatomy | null {
  const part = (name: string) => of(def[name] as ZodSchema)
  switch (def.type) {
    case 'object': {
      const shape = Object.entries(def['shape'] as Record<string, ZodSchema>)
      const rest = def['catchall'] as ZodSchema | undefined
      const kind = rest?._zod.def.type
      return {
        type: 'object',
        schema,
        fields: new Map(shape.map(([name, field]) => [name, of(field)])),
        optional: new Map(shape.filter(([, field]) => isExactOptional(field)).map(([name]) => [name, null])),
        rest:
          rest === undefined ? 'drop' : kind === 'never' ? 'refuse' : kind === 'unknown' ? 'keep' : of(rest),
        dropped,
      }
    }
    case 'array':
      return { type: 'list', schema, items: [], rest: part('element') }
    case 'tuple': {
      const rest = def['rest'] as ZodSchema | null
      return { type: 'list', schema, items: (def['items'] as ZodSchema[]).map(of), rest: rest && of(rest) }
    }
    case 'record': {
      const record: Anatomy = {
        type: 'record',
        schema,
        key: part('keyType'),
        value: part('valueType'),
        dropped,
      }
      if (def['mode'] !== 'loose' || isExact(record)) return record
      // A loose record keeps names that its key schema does not match.
      return isClosed(record)
        ? { type: 'leaf', schema, output: schema, exact: false, closed: true }
        : { type: 'transform', schema, output: null }
    }
    case 'map':
      return { type: 'collection', schema, key: part('keyType'), value: part('valueType') }
    case 'set':
      return { type: 'collection', schema, key: null, value: part('valueType') }
    case 'union':
      return { type: 'choice', schema, options: (def['options'] as ZodSchema[]).map(of) }
    case 'intersection':
      return { type: 'all', schema, parts: [part('left'), part('right')] }
    case 'optional':
    case 'prefault':
      return maybe(schema, part('innerType'), [undefined], def.type === 'prefault')
    case 'nullable':
      return maybe(schema, part('innerType'), [null], false)
    case 'default':
      return withDefault(schema, part('innerType'))
    case 'catch':
      return withCatch(schema, part('innerType'))
    case 'nonoptional': {
      const { innerType } = def
      const inner = innerType!._zod.def
      return of(inner.type === 'optional' ? inner.innerType! : innerType!)
    }
    case 'readonly':
    case 'promise':
      return part('innerType')
    case 'lazy': {
      let made: Anatomy | undefined
      const get = () => {
        made ??= of((def['getter'] as () => ZodSchema)())
        return made
      }
      return { type: 'lazy', schema, get }
    }
    case 'pipe':
      return pipe(schema, def, of)
    case 'transform':
    case 'success':
      return { type: 'transform', schema, output: null }
    default:
      return null
  }
}

function maybe(
  schema: StandardSchemaV1,
  inner: Anatomy,
  empty: readonly (undefined | null)[],
  substitutes: boolean,
): Anatomy {
  return { type: 'maybe', schema, empty, inner, substitutes }
}

/** Zod does not check a default against its own schema. */
function withDefault(schema: ZodSchema, inner: Anatomy): Anatomy {
  const { innerType, defaultValue } = schema._zod.def
  const filled = maybe(schema, inner, [undefined], true)
  if (!isClosed(inner) || accepts(innerType!, defaultValue)) return filled
  return { type: 'choice', schema, options: [filled, { type: 'transform', schema, output: null }] }
}

/** The catch value may be one that the schema refuses. */
function withCatch(schema: ZodSchema, inner: Anatomy): Anatomy {
  const { innerType, catchValue } = schema._zod.def as { innerType?: ZodSchema; catchValue?: () => unknown }
  const closed = isClosed(inner) && catchValue!.length === 0 && accepts(innerType!, catchValue!())
  if (closed) return { type: 'leaf', schema, output: innerType!, exact: false, closed: true }
  return { type: 'choice', schema, options: [inner, { type: 'transform', schema, output: null }] }
}

/** Whether a field may be missing, but not undefined. */
function isExactOptional(field: ZodSchema): boolean {
  try {
    const { def, traits, optout } = field._zod
    if (optout !== 'optional') return false
    const isExact = traits.has('$ZodExactOptional')
    // The checks of a program need not run here.
    return def.type === 'optional' && !isExact ? false : !accepts(field, undefined)
  } catch {
    return false
  }
}

function accepts(schema: ZodSchema, value: unknown): boolean {
  const result = schema['~standard'].validate(value)
  if (!(result instanceof Promise)) return result.issues === undefined
  result.catch(() => {})
  return true
}

function pipe(schema: ZodSchema, def: ZodDefinition, of: AnatomyOf): Anatomy {
  const from = of(def['in'] as ZodSchema)
  const output = of(def['out'] as ZodSchema)
  const isCodec = 'reverseTransform' in def
  const text = normalizedText(def)
  if (text !== null) {
    return { type: 'leaf', schema, output: text, exact: false, closed: text === def['in'] }
  }
  if (!isCodec && from.type === 'leaf' && from.closed && output.type === 'leaf' && output.exact) {
    return { type: 'leaf', schema, output: output.schema, exact: from.exact, closed: true }
  }
  if (!isReversible(from) || !isReversible(output)) return { type: 'transform', schema, output }
  const joins = !isCodec && isClosed(from) && isClosed(output)
  return { type: 'codec', schema, output, encode: (value) => encode(schema, value), joins }
}

/** The schema of a text after `.transform((text) => text.trim())`; `null` for any other pipe. */
function normalizedText(def: ZodDefinition): ZodSchema | null {
  const from = def['in'] as ZodSchema
  const to = (def['out'] as ZodSchema)._zod.def
  const { type, check, checks = [], coerce } = from._zod.def
  const isText = type === 'string' && check === undefined && coerce !== true
  if (!isText || to.type !== 'transform' || normalizerOf(to['transform']) === null) return null
  return checks.length === 0 ? from : new from._zod.constr({ type, checks: [] })
}

function leaf(schema: ZodSchema, def: ZodDefinition): Anatomy {
  const checks = def.checks ?? []
  const last = checks.findLastIndex(isOverwrite)
  if (last < 0 && !def.coerce) return exactLeaf(schema)
  // A check before a normalization need not hold for its result.
  const { coerce: _, ...rest } = def
  const output = new schema._zod.constr({ ...rest, checks: checks.slice(last + 1) })
  const before = checks.slice(0, Math.max(last, 0))
  const methods = checks.filter(isOverwrite).map(({ _zod }) => normalizerOf(_zod.def.tx))
  const isNormalized = areIdempotent(methods) && (def.check === undefined || keepsFormat(def.format, checks))
  if (isNormalized) return { type: 'leaf', schema, output, exact: false, closed: before.every(isOverwrite) }
  return { type: 'transform', schema, output: def.check === undefined ? exactLeaf(output) : null }
}

function checkOf(checks: readonly ZodCheck[]): Check {
  return (output) => {
    const payload: Payload = { value: output, issues: [] }
    let last: Promise<void> | undefined
    for (const check of checks) {
      const run = () => {
        const { when } = check._zod.def
        const stopped = payload.issues.some((issue) => issue.continue !== true)
        return (when ? when(payload) : !stopped) ? check._zod.check(payload) : undefined
      }
      if (last !== undefined) last = last.then(run)
      else {
        const running = run()
        if (running instanceof Promise) last = running
      }
    }
    return last === undefined ? resultOf(payload) : last.then(() => resultOf(payload))
  }
}

/** Runs a schema in reverse. */
function encode(schema: ZodSchema, value: unknown): Result | Promise<Result> {
  const run = (async: boolean) => schema._zod.run({ value, issues: [] }, { direction: 'backward', async })
  try {
    const payload = run(false)
    if (!(payload instanceof Promise)) return resultOf(payload)
    payload.catch(() => {})
  } catch {
    // An asynchronous one reports that with an error.
  }
  return (async () => resultOf(await run(true)))()
}

function resultOf({ value, issues }: Payload): Result {
  return issues.length === 0 ? { value } : { issues: issues.map(issueOf) }
}

function issueOf(issue: RawIssue): StandardSchemaV1.Issue {
  const said = issue.message ?? issue.inst?._zod.def.error?.(issue)
  const message = typeof said === 'string' ? said : (said as { message?: string } | undefined)?.message
  return { message: message ?? bareMessage, path: issue.path ?? [] }
}
