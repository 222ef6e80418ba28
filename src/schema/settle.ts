// Settling walks a value and the anatomy of its schema side by side; each kind of anatomy is one case of the same recursion.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { isPlainObject } from '../value/plain-object.ts'
import {
  type Anatomy,
  type CollectionAnatomy,
  isClosed,
  isExact,
  type ListAnatomy,
  type ObjectAnatomy,
  type RecordAnatomy,
  type Result,
  restOf,
} from './anatomy/anatomy.ts'
import { validateInput } from './anatomy/validate-input.ts'
import { sameValue } from './same-value.ts'
import type { Steps } from './steps.ts'

/**
 * What is to be made of an output.
 *
 * - `judge`: nothing: whether the schema may have output it.
 * - `trust`: what to store of it: defaults are filled in, and texts brought into form.
 * - `compare`: the same, where what differs from the value before may be an input as well as an output: a part under a transform
 *   that cannot be turned round is refused.
 */
export type Purpose = 'judge' | 'trust' | 'compare'

/** Stands for a value that is not there. */
export const nothing: unique symbol = Symbol('nothing')

/** Takes an output through the anatomy of its schema, and never through the schema as its input where that transforms. */
export function* settle(anatomy: Anatomy, value: unknown, before: unknown, purpose: Purpose): Steps<Result> {
  if (purpose === 'judge' && isExact(anatomy)) return yield* validated(anatomy.schema, value)
  if (purpose !== 'judge' && isClosed(anatomy)) return yield* validated(anatomy.schema, value)
  switch (anatomy.type) {
    case 'leaf': {
      if (purpose === 'compare') {
        return sameValue(value, before) ? { value } : yield* validated(anatomy.schema, value)
      }
      return yield* validated(anatomy.output, value)
    }
    case 'codec': {
      if (purpose !== 'compare') return yield* settle(anatomy.output, value, nothing, purpose)
      if (sameValue(value, before)) return { value: before }
      const encoded = (yield anatomy.encode(value)) as Result
      return encoded.issues ? encoded : yield* validated(anatomy.schema, encoded.value)
    }
    case 'transform':
      if (purpose === 'compare') return sameValue(value, before) ? { value: before } : refuse(oneWay)
      return anatomy.output === null ? { value } : yield* settle(anatomy.output, value, nothing, purpose)
    case 'opaque':
      return yield* settleOpaque(anatomy.schema, value, before, purpose)
    case 'maybe': {
      const isEmpty = anatomy.empty.some((empty) => empty === value)
      if (!isEmpty) return yield* settle(anatomy.inner, value, before, purpose)
      const result = yield* validated(anatomy.schema, value)
      return purpose === 'judge' && !result.issues && result.value !== value ? refuse(missing) : result
    }
    case 'checked': {
      const result = yield* settle(anatomy.inner, value, before, purpose)
      return result.issues ? result : ((yield anatomy.check(result.value)) as Result)
    }
    case 'lazy':
      return yield* settle(anatomy.get(), value, before, purpose)
    case 'choice':
      return yield* settleChoice(anatomy.options, value, before, purpose)
    case 'all':
      return yield* settleAll(anatomy.parts, value, before, purpose)
    case 'object':
      return yield* settleObject(anatomy, value, before, purpose)
    case 'record':
      return yield* settleRecord(anatomy, value, before, purpose)
    case 'list':
      return yield* settleList(anatomy, value, before, purpose)
    case 'collection':
      return yield* settleCollection(anatomy, value, before, purpose)
  }
}

const missing = 'is missing: the schema has a default, which it fills in when you write a value'
const oneWay =
  'was changed, and has a transform that cannot be reversed, so this could be its input or its output: pass the input in a patch, update(id, { field: input }), or set the input of the whole value'

/** What a schema makes of an input. */
export function* validated(schema: StandardSchemaV1, input: unknown): Steps<Result> {
  return (yield validateInput(schema, input)) as Result
}

/** A refusal of the value that is looked at. */
export function refuse(message: string): Result {
  return { issues: [{ message, path: [] }] }
}

/** The issues of a part, as those of the whole. */
export function issuesAt(name: PropertyKey, { issues }: Result): readonly StandardSchemaV1.Issue[] {
  return (issues ?? []).map((issue) => ({ ...issue, path: [name, ...(issue.path ?? [])] }))
}

/** What a schema does to its own outputs is not known: it may look at one, and must leave what is there as it is. */
function* settleOpaque(
  schema: StandardSchemaV1,
  value: unknown,
  before: unknown,
  purpose: Purpose,
): Steps<Result> {
  if (purpose !== 'compare' || sameValue(value, before)) return { value }
  const result = yield* validated(schema, value)
  return result.issues || keeps(result.value, value) ? result : refuse(unknowable)
}

/** What is wrong with a field of a strict object. */
export const unknownField = 'is not a field of the schema'

/** Why the fields of a value cannot be told apart by an opaque schema. */
export const unknowable =
  'is changed by the schema, and its library does not say how: pass the input of the whole value to set'

/** Whether all that was in a value is in what was made of it. */
export function keeps(made: unknown, value: unknown): boolean {
  if (sameValue(made, value)) return true
  if (!isPlainObject(made) || !isPlainObject(value)) return false
  return Object.entries(value).every(
    ([name, field]) => Object.hasOwn(made, name) && sameValue(made[name], field),
  )
}

function* settleChoice(
  options: readonly Anatomy[],
  value: unknown,
  before: unknown,
  purpose: Purpose,
): Steps<Result> {
  if (purpose === 'compare' && sameValue(value, before)) return { value: before }
  let refused: Result = refuse('is not one of the forms that the schema allows')
  let last: readonly StandardSchemaV1.Issue[] = []
  for (const option of options) {
    const result = yield* settle(option, value, before, purpose)
    if (!result.issues) return result
    last = result.issues
    if (last.some(({ message }) => message === oneWay)) refused = result
  }
  return options.length === 1 ? { issues: last } : refused
}

function* settleAll(
  parts: readonly Anatomy[],
  value: unknown,
  before: unknown,
  purpose: Purpose,
): Steps<Result> {
  let merged: unknown
  for (const part of parts) {
    const result = yield* settle(part, value, before, purpose)
    if (result.issues) return result
    merged = isObject(merged) && isObject(result.value) ? { ...merged, ...result.value } : result.value
  }
  return { value: merged }
}

function* settleObject(
  anatomy: ObjectAnatomy,
  value: unknown,
  before: unknown,
  purpose: Purpose,
): Steps<Result> {
  if (!isObject(value)) return yield* validated(anatomy.schema, value)
  const { fields, optional } = anatomy
  const entries: [string, unknown][] = []
  const issues: StandardSchemaV1.Issue[] = []
  for (const name of new Set([...Object.keys(value), ...fields.keys()])) {
    const field = fields.get(name) ?? restOf(anatomy, name)
    const isThere = Object.hasOwn(value, name)
    const stored = fieldOf(before, name)
    if (typeof field === 'string') {
      // What the schema does not know and the row has stays.
      if (field === 'keep' || sameValue(value[name], stored)) entries.push([name, value[name]])
      else if (field === 'refuse') issues.push(...issuesAt(name, refuse(unknownField)))
      continue
    }
    const absent = isThere ? undefined : optional.get(name)
    if (absent === null) continue
    if (absent !== undefined) {
      const result = purpose === 'judge' ? refuse(missing) : yield* validated(field.schema, absent())
      if (result.issues) issues.push(...issuesAt(name, result))
      else entries.push([name, result.value])
      continue
    }
    const unchanged = !isThere && stored === nothing ? undefined : stored
    const result = yield* settle(field, isThere ? value[name] : undefined, unchanged, purpose)
    if (result.issues) issues.push(...issuesAt(name, result))
    else if (isThere || result.value !== undefined) entries.push([name, result.value])
  }
  return issues.length > 0 ? { issues } : { value: Object.fromEntries(entries) }
}

function* settleRecord(
  anatomy: RecordAnatomy,
  value: unknown,
  before: unknown,
  purpose: Purpose,
): Steps<Result> {
  if (!isObject(value)) return yield* validated(anatomy.schema, value)
  const entries: [string, unknown][] = []
  const issues: StandardSchemaV1.Issue[] = []
  for (const [name, member] of Object.entries(value)) {
    const stored = fieldOf(before, name)
    if (anatomy.dropped.includes(name) && !sameValue(member, stored)) continue
    const key = yield* settleName(anatomy.key, name, stored === nothing ? nothing : name, purpose)
    const result = yield* settle(anatomy.value, member, stored, purpose)
    if (key.issues || result.issues) issues.push(...issuesAt(name, key), ...issuesAt(name, result))
    else entries.push([String(key.value), result.value])
  }
  return issues.length > 0 ? { issues } : { value: Object.fromEntries(entries) }
}

/** A schema of numbers takes the names that are numbers. */
function* settleName(key: Anatomy, name: string, before: unknown, purpose: Purpose): Steps<Result> {
  const result = yield* settle(key, name, before, purpose)
  const number = Number(name)
  if (!result.issues || String(number) !== name) return result
  return yield* settle(key, number, before === nothing ? nothing : number, purpose)
}

function* settleList(anatomy: ListAnatomy, value: unknown, before: unknown, purpose: Purpose): Steps<Result> {
  if (!Array.isArray(value)) return yield* validated(anatomy.schema, value)
  const { items, rest } = anatomy
  const isTuple = items.length > 0 || rest === null
  const stored = Array.isArray(before) ? before : []
  const partners = purpose !== 'compare' ? [] : isTuple ? stored : partnersOf(value, stored)
  const settled: unknown[] = []
  const issues: StandardSchemaV1.Issue[] = []
  for (let i = 0; i < Math.max(value.length, items.length); i++) {
    const item = items[i] ?? rest
    const result =
      item === null
        ? refuse('is one item more than the schema allows')
        : yield* settle(item, value[i], i in partners ? partners[i] : nothing, purpose)
    if (result.issues) issues.push(...issuesAt(i, result))
    else if (i < value.length || result.value !== undefined) settled.push(result.value)
  }
  return issues.length > 0 ? { issues } : { value: settled }
}

/**
 * The stored item of each item: an equal one, wherever it stood, each of them once; else the one that stood in its place, where that
 * is left over.
 */
function partnersOf(value: readonly unknown[], stored: readonly unknown[]): unknown[] {
  const left = new Set(stored.keys())
  const partners: unknown[] = value.map(() => nothing)
  const take = (i: number, from: number) => {
    partners[i] = stored[from]
    left.delete(from)
  }
  value.forEach((item, i) => {
    if (left.has(i) && sameValue(item, stored[i])) take(i, i)
  })
  value.forEach((item, i) => {
    if (partners[i] !== nothing) return
    const from = [...left].find((at) => sameValue(item, stored[at]))
    if (from !== undefined) take(i, from)
  })
  value.forEach((_, i) => {
    if (partners[i] === nothing && left.has(i)) take(i, i)
  })
  return partners
}

function* settleCollection(
  anatomy: CollectionAnatomy,
  value: unknown,
  before: unknown,
  purpose: Purpose,
): Steps<Result> {
  const { key, value: member } = anatomy
  if (key === null) {
    if (!(value instanceof Set)) return yield* validated(anatomy.schema, value)
    const list: ListAnatomy = { type: 'list', schema: anatomy.schema, items: [], rest: member }
    const stored = before instanceof Set ? [...before] : nothing
    const result = yield* settleList(list, [...value], stored, purpose)
    return result.issues ? result : { value: new Set(result.value as unknown[]) }
  }
  if (!(value instanceof Map)) return yield* validated(anatomy.schema, value)
  const stored = before instanceof Map ? before : new Map()
  const entries: [unknown, unknown][] = []
  const issues: StandardSchemaV1.Issue[] = []
  for (const [name, item] of value) {
    const isStored = stored.has(name)
    const settledKey = yield* settle(key, name, isStored ? name : nothing, purpose)
    const result = yield* settle(member, item, isStored ? stored.get(name) : nothing, purpose)
    if (settledKey.issues || result.issues)
      issues.push(...issuesAt(String(name), settledKey), ...issuesAt(String(name), result))
    else entries.push([settledKey.value, result.value])
  }
  return issues.length > 0 ? { issues } : { value: new Map(entries) }
}

function fieldOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : nothing
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
