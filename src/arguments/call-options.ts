import { checkOptionNames } from './option-names.ts'

/**
 * What every call takes.
 *
 * ```ts
 * const signal = AbortSignal.abort(new Error('the client has gone'))
 * await users.findMany({ limit: 10 }, { signal }) // => throws Error
 * ```
 */
export interface CallOptions {
  /**
   * Aborting it rejects the call with its reason, within milliseconds, even during a long read. A call of the engine that cannot
   * be split, such as an aggregate that no index serves, ends first. A write whose commit has begun is still written; one that waits
   * for earlier writes, for the turn of others or for the lock of a file is not.
   */
  readonly signal?: AbortSignal | undefined
}

/** Throws a TypeError if an option of a call is not valid. It takes a signal, and its `own`. */
export function checkCallOptions(options: object, call: string, own: readonly string[] = []): void {
  checkOptionNames(options, [...own, 'signal'], call)
  checkSignal(options, call)
}

/** Throws a TypeError if the signal is not an AbortSignal. */
export function checkSignal({ signal }: CallOptions, call: string): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(`The signal of ${call} must be an AbortSignal: pass the signal of an AbortController`)
  }
}
