import { checkOptionNames } from '../arguments/option-names.ts'
import { checkBoolean } from '../arguments/option-values.ts'
import { latestTime } from '../time/latest-time.ts'

/**
 * How long to keep a value. Anything but a number is a TypeError; a number that is not above 0, or leads beyond the last Date, is
 * a RangeError.
 */
export interface ExpireOptions {
  /**
   * In how many milliseconds from now the value expires; above 0. Left out: it stays. A `set` without `keepExpiry` then removes
   * the expiry that the key had; `update`, `sum`, `max` and `min` keep it.
   */
  readonly expireIn?: number | undefined
}

/** How to replace a value. */
export interface SetOptions extends ExpireOptions {
  /**
   * `true`: the value expires when the value that it replaces at the commit would have; if there is none, or it has expired,
   * never. Together with `expireIn` it is a TypeError.
   */
  readonly keepExpiry?: boolean | undefined
}

/** When a value written at `now` expires, both in milliseconds since the epoch. */
export function expiryTime(expireIn: number | undefined, now: number): number | null {
  if (expireIn === undefined) return null
  if (typeof expireIn !== 'number') throw new TypeError('expireIn must be a number of milliseconds')
  const time = Math.ceil(now + expireIn)
  if (!(expireIn > 0)) {
    throw new RangeError(
      `expireIn must be a number of milliseconds above 0 (got ${expireIn}); leave it out to keep the value`,
    )
  }
  if (time > latestTime) {
    throw new RangeError(
      `expireIn must be at most ${latestTime - now} ms now (got ${expireIn}), because no Date is later; leave it out to keep the value`,
    )
  }
  return time
}

/** When a value set at `now` (ms since the epoch) expires; `undefined`: when the replaced value would have. */
export function expiryOfSet(options: SetOptions | undefined, now: number): number | null | undefined {
  if (options === undefined) return null
  const { expireIn, keepExpiry = false } = options
  checkBoolean(keepExpiry, 'keepExpiry')
  if (!keepExpiry) return expiryTime(expireIn, now)
  if (expireIn !== undefined)
    throw new TypeError('keepExpiry keeps the current expiry, and expireIn sets another: leave one out')
  return undefined
}

export const setOptionNames = ['expireIn', 'keepExpiry']

/** Throws a TypeError or RangeError unless `expireIn` is left out or valid; for calls that may find no row to write. */
export function checkExpireIn(expireIn: number | undefined): void {
  expiryTime(expireIn, 0)
}

/** Throws a TypeError for an option that `set` does not have. */
export function checkSetOptions(options: SetOptions | undefined): void {
  if (options !== undefined) checkOptionNames(options, setOptionNames, 'set')
}

/** Throws a TypeError for an option that a write does not have. */
export function checkExpireOptions(options: ExpireOptions | undefined, call: string): void {
  if (options !== undefined) checkOptionNames(options, ['expireIn'], call)
}
