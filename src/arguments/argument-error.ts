/**
 * A value of the caller is wrong: a key, an id, a prefix, a limit, a cursor, a versionstamp. If a request has brought that value, the
 * request is wrong, and not the program that passes it on: where the request is answered, only the class distinguishes this error
 * from a fault. Printed, it is a TypeError.
 */
export class ArgumentTypeError extends TypeError {
  static override readonly name = 'TypeError'
}

/** Like ArgumentTypeError, for a value out of its range. */
export class ArgumentRangeError extends RangeError {
  static override readonly name = 'RangeError'
}

export function isArgumentError(error: unknown): boolean {
  return error instanceof ArgumentTypeError || error instanceof ArgumentRangeError
}
