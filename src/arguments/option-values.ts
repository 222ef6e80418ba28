/** Throws a TypeError unless `value` is left out, or true or false. */
export function checkBoolean(value: unknown, name: string): void {
  if (value !== undefined && typeof value !== 'boolean') throw new TypeError(`${name} must be true or false`)
}

/** Throws a RangeError unless `value` is left out or a whole number of at least `least`. */
export function checkWholeNumber(value: unknown, name: string, least: number): void {
  if (value === undefined) return
  if (Number.isInteger(value) && (value as number) > Number.MAX_SAFE_INTEGER) {
    throw new RangeError(`${name} must be at most ${Number.MAX_SAFE_INTEGER} (got ${String(value)})`)
  }
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name} must be a whole number of at least ${least} (got ${String(value)})`)
  }
}
