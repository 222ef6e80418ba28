import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Result } from './anatomy.ts'
import { isZod, type ZodSchema } from './zod.ts'

/** A schema of Zod's own faces, which can be asked to be asynchronous. */
interface AsyncSchema extends ZodSchema {
  safeParseAsync(input: unknown): Promise<{
    readonly success: boolean
    readonly data?: unknown
    readonly error?: { readonly issues: readonly StandardSchemaV1.Issue[] }
  }>
}

const knownAsync = new WeakMap<StandardSchemaV1, boolean>()

/**
 * What a schema makes of an input. Zod tries a schema as if it were synchronous first, and drops the promise of a function that is not:
 * where that rejects, the process ends. So one that is known to be asynchronous is asked to be that at once, which runs its functions
 * once instead of twice: for an `async` function in it, or since it has been so before.
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
    // A lazy schema is made when it is asked for.
    const { def, check, innerType } = zod
    const made = (def as { readonly type?: unknown }).type === 'lazy' ? innerType : undefined
    return [def, check, made].some((one) => hasAsync(one, seen))
  }
  const prototype = Object.getPrototypeOf(part)
  const isPlain = Array.isArray(part) || prototype === Object.prototype || prototype === null
  return isPlain && Object.values(part).some((one) => hasAsync(one, seen))
}
