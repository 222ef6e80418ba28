import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Result } from './anatomy.ts'
import { isZod, type ZodSchema } from './zod.ts'

/** A schema of the main API of Zod, which can be run asynchronously. */
interface AsyncSchema extends ZodSchema {
  safeParseAsync(input: unknown): Promise<{
    readonly success: boolean
    readonly data?: unknown
    readonly error?: { readonly issues: readonly StandardSchemaV1.Issue[] }
  }>
}

const knownAsync = new WeakMap<StandardSchemaV1, boolean>()

/**
 * Runs a schema on an input. Zod first runs a schema as if it were synchronous, and drops the promise of an asynchronous function:
 * if that promise rejects, the process ends. So a schema known to be asynchronous, because it has an `async` function or has
 * returned a promise before, is run asynchronously from the start. Its functions then also run once instead of twice.
 */
export function validateInput(schema: StandardSchemaV1, input: unknown): Result | Promise<Result> {
  if (!isZod(schema) || !('safeParseAsync' in schema)) return schema['~standard'].validate(input)
  let isAsync = knownAsync.get(schema)
  if (isAsync === undefined) {
    isAsync = hasAsync(schema, new Set())
    knownAsync.set(schema, isAsync)
  }
  if (isAsync) return parseAsync(schema as AsyncSchema, input)
  const result = schema['~standard'].validate(input)
  if (result instanceof Promise) knownAsync.set(schema, true)
  return result
}

async function parseAsync(schema: AsyncSchema, input: unknown): Promise<Result> {
  const { success, data, error } = await schema.safeParseAsync(input)
  return success ? { value: data } : { issues: error!.issues }
}

/** Whether a part of a definition is an `async` function. */
function hasAsync(part: unknown, seen: Set<unknown>): boolean {
  if (typeof part === 'function') return Object.prototype.toString.call(part) === '[object AsyncFunction]'
  if (typeof part !== 'object' || part === null || seen.has(part)) return false
  seen.add(part)
  const zod = (part as { readonly _zod?: Record<string, unknown> })._zod
  if (zod !== undefined) {
    // The getter of a lazy schema is called on demand.
    const { def, check, innerType } = zod
    const made = (def as { readonly type?: unknown }).type === 'lazy' ? innerType : undefined
    return [def, check, made].some((one) => hasAsync(one, seen))
  }
  const prototype = Object.getPrototypeOf(part)
  const isPlain = Array.isArray(part) || prototype === Object.prototype || prototype === null
  return isPlain && Object.values(part).some((one) => hasAsync(one, seen))
}
