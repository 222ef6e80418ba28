import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ValidationError } from '../contract/errors.ts'
import type { Key } from '../contract/key.types.ts'
import { isClosed, type Result } from './anatomy/anatomy.ts'
import { anatomyOf } from './anatomy/anatomy-of.ts'
import { validateInput } from './anatomy/validate-input.ts'
import type { AnyDefinition } from './definition.types.ts'
import { type Fields, type Given, givenByAlone, merged, patchSteps } from './patch.ts'
import { nothing, settle } from './settle.ts'
import { runSteps, type Steps } from './steps.ts'

/**
 * Runs a definition's schema on an input: returns the output, or a promise of it if the schema is asynchronous. Never pass an
 * output; `judgeOutput`, `changedOutput` and the others below take outputs.
 *
 * @throws ValidationError (or a promise that rejects with it) with the schema's issues, or with what the schema threw as `cause`.
 */
export function validate(definition: AnyDefinition, key: Key, input: unknown): unknown | Promise<unknown> {
  let result: Result | Promise<Result>
  try {
    result = validateInput(definition.schema, input)
  } catch (error) {
    throw thrownBySchema(key, error)
  }
  return isPromiseLike(result) ? settledLater(result, key) : outputOf(result, key)
}

/**
 * Whether the schema could have output this value: returns `undefined`, or a promise of it. Throws a ValidationError, as `validate`
 * does, if it could not.
 */
export function judgeOutput(
  definition: AnyDefinition,
  key: Key,
  output: unknown,
): undefined | Promise<undefined> {
  const judged = run(key, settle(anatomyOf(definition.schema), output, nothing, 'judge'))
  return judged instanceof Promise ? judged.then(() => undefined) : undefined
}

/** What to store for a value that the caller says is an output: fills in defaults. Throws as `validate` does. */
export function trustOutput(
  definition: AnyDefinition,
  key: Key,
  output: unknown,
): unknown | Promise<unknown> {
  return run(key, settle(anatomyOf(definition.schema), output, nothing, 'trust'))
}

/**
 * What to store for an output made from a stored one: unchanged parts stay as they are. Throws as `validate` does, and if a part
 * has changed whose transform cannot be reversed.
 */
export function changedOutput(
  definition: AnyDefinition,
  key: Key,
  stored: () => unknown,
  output: unknown,
): unknown | Promise<unknown> {
  const anatomy = anatomyOf(definition.schema)
  if (isClosed(anatomy)) return validate(definition, key, output)
  return run(key, settle(anatomy, output, stored(), 'compare'))
}

/**
 * What to store for an output and a patch. Fields of the patch are inputs; `undefined` leaves the stored field. Throws as
 * `validate` does.
 */
export function patchedOutput(
  definition: AnyDefinition,
  key: Key,
  stored: object,
  patch: object,
): unknown | Promise<unknown> {
  return run(key, patchSteps(anatomyOf(definition.schema), { ...stored }, withoutUndefined(patch)))
}

/** Applies a patch whose fields were checked before to a stored value. */
export type CheckedPatch = (stored: object) => object

/**
 * Checks the fields of a patch once, so that applying it to a stored value calls none of the user's functions. Returns null if
 * `patchedOutput` is needed: what to store depends on the rest of the value, or the schema refuses the patch. Returns `'later'` if
 * the schema is asynchronous.
 */
export function checkedPatch(definition: AnyDefinition, patch: object): CheckedPatch | 'later' | null {
  const steps = givenByAlone(anatomyOf(definition.schema), withoutUndefined(patch))
  if (steps === null) return null
  let result: ReturnType<typeof runSteps<Given>>
  try {
    result = runSteps(steps)
  } catch {
    // `patchedOutput` reports what the schema throws, with the key of the row.
    return null
  }
  if (result instanceof Promise) {
    result.catch(() => {})
    return 'later'
  }
  if (result.issues) return null
  const { given } = result
  // The caller may change an object before it is stored.
  if (given.some(([, value]) => typeof value === 'object' && value !== null)) return null
  return (stored) => merged(stored as Fields, given)
}

function withoutUndefined(patch: object): Fields {
  if (!Object.values(patch).includes(undefined)) return patch as Fields
  return Object.fromEntries(Object.entries(patch).filter(([, input]) => input !== undefined))
}

function run(key: Key, steps: Steps<Result>): unknown | Promise<unknown> {
  let result: Result | Promise<Result>
  try {
    result = runSteps(steps)
  } catch (error) {
    throw thrownBySchema(key, error)
  }
  return result instanceof Promise ? settledLater(result, key) : outputOf(result, key)
}

function settledLater(result: PromiseLike<Result>, key: Key): Promise<unknown> {
  return Promise.resolve(result).then(
    (settled) => outputOf(settled, key),
    (error: unknown) => {
      throw thrownBySchema(key, error)
    },
  )
}

function outputOf(result: StandardSchemaV1.Result<unknown>, key: Key): unknown {
  if (isOutcome(result)) {
    if (!result.issues) return result.value
    throw new ValidationError(key, result.issues)
  }
  const message =
    'the schema breaks the contract of Standard Schema: its validate returns neither { value } nor { issues: [...] }'
  throw new ValidationError(key, [{ message }])
}

function isPromiseLike(result: unknown): result is PromiseLike<Result> {
  return typeof result === 'object' && result !== null && 'then' in result
}

/** The user's own schema is only checked by its types, or not at all. */
function isOutcome(result: unknown): result is StandardSchemaV1.Result<unknown> {
  if (typeof result !== 'object' || result === null) return false
  const { issues } = result as { issues?: unknown }
  return issues === undefined || issues === null ? 'value' in result : Array.isArray(issues)
}

function thrownBySchema(key: Key, error: unknown): ValidationError {
  const message = `the schema threw: ${error instanceof Error ? error.message : String(error)}`
  return new ValidationError(key, [{ message }], { cause: error })
}
