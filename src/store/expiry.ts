import { checkOptionNames } from '../option-names.ts'

/** How long a value is kept. What is no number is a TypeError; one that is not above 0, or leads beyond the last Date, a RangeError. */
export interface ExpireOptions {
  /**
   * Milliseconds from now, above 0, after which the value is gone. Left out: it stays, and a `set` removes the expiry that
   * the key had; `update`, `sum`, `max` and `min` keep it.
   */
  readonly expireIn?: number | undefined
}

/** The last time that a Date can tell, in milliseconds since the epoch: in the year 275760. */
const latestTime = 8_640_000_000_000_000

/** When a value written now expires, in milliseconds since the epoch. */
export function expiryTime(expireIn: number | undefined): number | null {
  if (expireIn === undefined) return null
  if (typeof expireIn !== 'number') throw new TypeError('expireIn is a number of milliseconds')
  const time = Math.ceil(Date.now() + expireIn)
  if (!(expireIn > 0)) {
    throw new RangeError(
      `expireIn is a number of milliseconds above 0 (got ${expireIn}); leave it out to keep the value`,
    )
  }
  if (time > latestTime) {
    throw new RangeError(
      `expireIn is at most ${latestTime - Date.now()} ms now (got ${expireIn}), since a Date tells no later time; leave it out to keep the value`,
    )
  }
  return time
}

/** Throws a TypeError for options that a write does not have. */
export function checkExpireOptions(options: ExpireOptions | undefined, call: string): void {
  if (options !== undefined) checkOptionNames(options, ['expireIn'], call)
}
