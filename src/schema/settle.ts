// Settling walks a value and the anatomy of its schema side by side; each kind of anatomy is one case of that recursion.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { isPlainObject } from '../value/plain-object.ts'
import {
  type Anatomy,
  bareMessage,
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
import { valueHash } from './value-hash.ts'

/**
 * What to do with an output.
 *
 * - `judge`: only decide whether the schema could have output it.
 * - `trust`: complete it for storing: fill in defaults, and normalize texts.
 * - `compare`: the same, but a part that differs from the stored value could be an input or an output, so it is refused if its
 *   transform cannot be reversed.
 */
export type Purpose = 'judge' | 'trust' | 'compare'

/** Stands for a missing value. */
export const nothing: unique symbol = Symbol('nothing')

/** Checks or completes an output by the anatomy of its schema. It never passes an output as an input to a part that transforms. */
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
      if (!encoded.issues) return yield* validated(anatomy.schema, encoded.value)
      if (!anatomy.joins) return encoded
      const judged = yield* settle(anatomy.output, value, nothing, 'judge')
      return judged.issues ? judged : { issues: encoded.issues.map(inWords) }
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

function inWords(issue: StandardSchemaV1.Issue): StandardSchemaV1.Issue {
  return issue.message === bareMessage ? { ...issue, message: oneWay } : issue
}

/** The output of a schema for an input, or its issues. */
export function* validated(schema: StandardSchemaV1, input: unknown): Steps<Result> {
  return (yield validateInput(schema, input)) as Result
}

/** Refuses the current value. */
export function refuse(message: string): Result {
  return { issues: [{ message, path: [] }] }
}

/** Adds issues one by one: there may be more than a call can have arguments. */
export function addIssues(issues: StandardSchemaV1.Issue[], more: readonly StandardSchemaV1.Issue[]): void {
  for (const issue of more) issues.push(issue)
}

/** The issues of a part, with paths from the whole. */
export function issuesAt(name: PropertyKey, { issues }: Result): readonly StandardSchemaV1.Issue[] {
  return (issues ?? []).map((issue) => ({
    // An issue of a class may have its message on its prototype, and the library's own state beside it.
    ...(isPlainObject(issue) ? issue : { message: issue.message }),
    path: [name, ...(issue.path ?? [])],
  }))
}

/** An opaque schema may change its own outputs: it may check one, but must leave its fields unchanged. */
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

/** The issue of an unknown field in a strict object. */
export const unknownField = 'is not a field of the schema'

/** Why an opaque schema refuses a changed value. */
export const unknowable =
  'is changed by the schema, and its library does not say how: pass the input of the whole value to set'

/** Whether everything in a value is still in the result. */
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
      // A field that the row has and the schema does not know stays.
      if (field === 'keep' || sameValue(value[name], stored)) entries.push([name, value[name]])
      else if (field === 'refuse') addIssues(issues, issuesAt(name, refuse(unknownField)))
      continue
    }
    const absent = isThere ? undefined : optional.get(name)
    if (absent === null) continue
    if (absent !== undefined) {
      const result = purpose === 'judge' ? refuse(missing) : yield* validated(field.schema, absent())
      if (result.issues) addIssues(issues, issuesAt(name, result))
      else entries.push([name, result.value])
      continue
    }
    const unchanged = !isThere && stored === nothing ? undefined : stored
    const result = yield* settle(field, isThere ? value[name] : undefined, unchanged, purpose)
    if (result.issues) addIssues(issues, issuesAt(name, result))
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
    if (key.issues || result.issues) addIssues(issues, [...issuesAt(name, key), ...issuesAt(name, result)])
    else entries.push([String(key.value), result.value])
  }
  return issues.length > 0 ? { issues } : { value: Object.fromEntries(entries) }
}

/** If the schema expects numbers, the name as a number. */
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
    if (result.issues) addIssues(issues, issuesAt(i, result))
    else if (i < value.length || result.value !== undefined) settled.push(result.value)
  }
  return issues.length > 0 ? { issues } : { value: settled }
}

/**
 * The stored item that each item is compared with: an equal one from any place, each used once; otherwise the unused one at the
 * same place.
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
  if (left.size > 0 && partners.includes(nothing)) {
    const places = Map.groupBy(left, (at) => valueHash(stored[at]))
    value.forEach((item, i) => {
      if (partners[i] !== nothing) return
      const alike = places.get(valueHash(item)) ?? []
      const found = alike.findIndex((at) => sameValue(item, stored[at]))
      if (found >= 0) take(i, alike.splice(found, 1)[0]!)
    })
  }
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
      addIssues(issues, [...issuesAt(String(name), settledKey), ...issuesAt(String(name), result)])
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
