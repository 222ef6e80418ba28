import type { StandardSchemaV1 } from '@standard-schema/spec'
import { setOwn } from '../value/set-own.ts'
import {
  type Anatomy,
  type ObjectAnatomy,
  type RecordAnatomy,
  type Result,
  restOf,
} from './anatomy/anatomy.ts'
import { sameValue } from './same-value.ts'
import {
  addIssues,
  isObject,
  issuesAt,
  keeps,
  nothing,
  refuse,
  settle,
  unknowable,
  unknownField,
  validated,
} from './settle.ts'
import type { Steps } from './steps.ts'

export type Fields = Readonly<Record<string, unknown>>

/** The outputs that a patch gives for its fields, or why the schema refuses them. */
export type Given =
  | { readonly given: readonly GivenField[]; readonly issues?: undefined }
  | StandardSchemaV1.FailureResult

/** The name of a field, and the output to store in it. */
export type GivenField = readonly [string, unknown]

/**
 * Applies a patch to a stored output. Each field in the patch is an input of that field's schema; all others stay as stored, and
 * are not checked. Refinements of the whole are checked on the result.
 */
export function* patchSteps(anatomy: Anatomy, stored: Fields, patch: Fields): Steps<Result> {
  switch (anatomy.type) {
    case 'object':
    case 'record': {
      const result = yield* givenBy(anatomy, patch)
      return result.issues ? result : { value: merged(stored, result.given) }
    }
    case 'lazy':
      return yield* patchSteps(anatomy.get(), stored, patch)
    case 'maybe':
      return yield* patchSteps(anatomy.inner, stored, patch)
    case 'checked': {
      const result = yield* patchSteps(anatomy.inner, stored, patch)
      return result.issues ? result : ((yield anatomy.check(result.value)) as Result)
    }
    case 'choice':
      return yield* patchChoice(anatomy.options, stored, patch)
    case 'all':
      return yield* patchAll(anatomy.parts, stored, patch)
    case 'codec': {
      const input = (yield anatomy.encode(stored)) as Result
      if (input.issues && !anatomy.joins) return input
      if (input.issues || !isObject(input.value)) return refuse(wholeTransform)
      return yield* validated(anatomy.schema, { ...input.value, ...patch })
    }
    case 'transform':
      return refuse(wholeTransform)
    case 'opaque': {
      const result = yield* validated(anatomy.schema, { ...stored, ...patch })
      return result.issues || keeps(result.value, without(stored, patch)) ? result : refuse(unknowable)
    }
    case 'leaf':
    case 'list':
    case 'collection':
      return yield* validated(anatomy.schema, { ...stored, ...patch })
  }
}

const wholeTransform =
  'is transformed by the schema as a whole, which a patch would bypass: pass the input of the whole value to set'

/** What a patch gives, whatever is stored; null if that depends on the stored value. */
export function givenByAlone(anatomy: Anatomy, patch: Fields): Steps<Given> | null {
  switch (anatomy.type) {
    case 'object':
    case 'record':
      return givenBy(anatomy, patch)
    case 'lazy':
      return givenByAlone(anatomy.get(), patch)
    case 'maybe':
      return givenByAlone(anatomy.inner, patch)
    default:
      return null
  }
}

function givenBy(anatomy: ObjectAnatomy | RecordAnatomy, patch: Fields): Steps<Given> {
  return anatomy.type === 'object' ? givenToObject(anatomy, patch) : givenToRecord(anatomy, patch)
}

function* givenToObject(anatomy: ObjectAnatomy, patch: Fields): Steps<Given> {
  const given: GivenField[] = []
  const issues: StandardSchemaV1.Issue[] = []
  for (const [name, input] of Object.entries(patch)) {
    const field = anatomy.fields.get(name) ?? restOf(anatomy, name)
    if (field === 'keep') given.push([name, input])
    else if (field === 'refuse') addIssues(issues, issuesAt(name, refuse(unknownField)))
    else if (field !== 'drop') {
      const result = yield* validated(field.schema, input)
      if (result.issues) addIssues(issues, issuesAt(name, result))
      else given.push([name, result.value])
    }
  }
  return issues.length > 0 ? { issues } : { given }
}

function* givenToRecord({ key, value, dropped }: RecordAnatomy, patch: Fields): Steps<Given> {
  const given: GivenField[] = []
  const issues: StandardSchemaV1.Issue[] = []
  for (const [name, input] of Object.entries(patch)) {
    if (dropped.includes(name)) continue
    const settledKey = yield* validatedName(key.schema, name)
    const result = yield* validated(value.schema, input)
    if (settledKey.issues || result.issues)
      addIssues(issues, [...issuesAt(name, settledKey), ...issuesAt(name, result)])
    else given.push([String(settledKey.value), result.value])
  }
  return issues.length > 0 ? { issues } : { given }
}

/** Validates a name; if the schema expects numbers, as a number. */
function* validatedName(schema: StandardSchemaV1, name: string): Steps<Result> {
  const result = yield* validated(schema, name)
  return result.issues && String(Number(name)) === name ? yield* validated(schema, Number(name)) : result
}

/**
 * The first option that could have output the result. The option of the stored value is tried first; for the others, the fields
 * that only it has are left out.
 */
function* patchChoice(options: readonly Anatomy[], stored: Fields, patch: Fields): Steps<Result> {
  const own: Anatomy[] = []
  const others: Anatomy[] = []
  for (const option of options) {
    const judged = yield* settle(option, stored, nothing, 'judge')
    if (judged.issues) others.push(option)
    else own.push(option)
  }
  let refused: Result | undefined
  for (const option of [...own, ...others]) {
    const kept = option === own[0] ? stored : withoutFieldsOf(options, option, stored)
    const result = yield* patchSteps(option, kept, patch)
    const judged: Result = result.issues ? result : yield* settle(option, result.value, nothing, 'judge')
    if (!judged.issues) return result
    refused ??= judged
  }
  return refused ?? refuse('is not one of the forms that the schema allows')
}

/** The stored fields that an option keeps: all but those that only other options name. */
function withoutFieldsOf(options: readonly Anatomy[], option: Anatomy, stored: Fields): Fields {
  const isForeign = (name: string) =>
    !namesField(option, name) && options.some((other) => namesField(other, name))
  return Object.fromEntries(Object.entries(stored).filter(([name]) => !isForeign(name)))
}

function namesField(anatomy: Anatomy, name: string): boolean {
  switch (anatomy.type) {
    case 'object':
      return anatomy.fields.has(name)
    case 'lazy':
      return namesField(anatomy.get(), name)
    case 'maybe':
    case 'checked':
      return namesField(anatomy.inner, name)
    case 'choice':
      return anatomy.options.some((option) => namesField(option, name))
    case 'all':
      return anatomy.parts.some((part) => namesField(part, name))
    default:
      return false
  }
}

function* patchAll(parts: readonly Anatomy[], stored: Fields, patch: Fields): Steps<Result> {
  const given: GivenField[] = []
  for (const part of parts) {
    const result = yield* patchSteps(part, stored, patch)
    if (result.issues) return result
    for (const [name, value] of Object.entries(result.value as Fields)) {
      if (Object.hasOwn(patch, name) && !(name in stored && sameValue(value, stored[name])))
        given.push([name, value])
    }
  }
  return { value: merged(stored, given) }
}

/** The stored fields, in their order, with those of `given` in their places or after them. */
export function merged(stored: Fields, given: readonly GivenField[]): object {
  const fields = { ...stored }
  for (const [name, value] of given) setOwn(fields, name, value)
  return fields
}

function without(stored: Fields, patch: Fields): object {
  return Object.fromEntries(Object.entries(stored).filter(([name]) => !Object.hasOwn(patch, name)))
}
