import { checkOptionNames } from '../option-names.ts'

/** How long a value is kept. What is no number is a TypeError, and one that is not above 0 a RangeError. */
export interface ExpireOptions {
  /**
   * Milliseconds from now, above 0, after which the value is gone. Left out: it stays, and a `set` removes the expiry that
   * the key had; `update`, `sum`, `max` and `min` keep it.
   */
  readonly expireIn?: number | undefined
}

/** When a value written now expires, in milliseconds since the epoch. */
export function expiryTime(expireIn: number | undefined): number | null {
  if (expireIn === undefined) return null
  if (typeof expireIn !== 'number') throw new TypeError('expireIn is a number of milliseconds')
  const time = Math.ceil(Date.now() + expireIn)
  if (!(expireIn > 0) || !Number.isSafeInteger(time)) {
    throw new RangeError(
      `expireIn is a number of milliseconds above 0 (got ${expireIn}); leave it out to keep the value`,
    )
  }
  return time
}

/** Throws a TypeError for options that a write does not have. */
export function checkExpireOptions(options: ExpireOptions | undefined, call: string): void {
  if (options !== undefined) checkOptionNames(options, ['expireIn'], call)
}
