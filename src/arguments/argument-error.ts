const errors = new WeakSet<object>()

/**
 * Marks an error that is about a value of the caller: a key, an id, a prefix, a limit, a cursor, a versionstamp. If a request has brought
 * that value, the request is wrong, and not the program that passes it on: where it is answered, nothing else tells such a
 * TypeError from one that is a fault.
 */
export function ofArgument<E extends TypeError | RangeError>(error: E): E {
  errors.add(error)
  return error
}

/** Whether `ofArgument` has marked it. */
export function isOfArgument(error: unknown): boolean {
  return errors.has(error as object)
}
