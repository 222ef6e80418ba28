const brand = Symbol.for('valkeyrie.KvU64')
const max = 2n ** 64n - 1n

/**
 * An unsigned integer of 64 bits: the value that `sum`, `min` and `max` work on. It is stored as such only at the top
 * of a value, never nested inside another.
 *
 * Throws a TypeError where `value` is not a bigint, a RangeError where it is outside 0 … 2^64 - 1.
 *
 * @example
 * await db.set(['visits'], new KvU64(5n))
 * await db.atomic().sum(['visits'], 2n).commit()
 * const { value } = await db.get(['visits'])   // KvU64 { value: 7n }
 */
export class KvU64 {
  readonly value: bigint

  constructor(value: bigint) {
    if (typeof value !== 'bigint') {
      throw new TypeError(
        `KvU64 takes a bigint, as new KvU64(5n); got ${value === null ? 'null' : typeof value}`,
      )
    }
    if (value < 0n || value > max) throw new RangeError(`KvU64 holds 0 to 2^64 - 1; got ${value}`)
    this.value = value
    Object.freeze(this)
  }

  get [brand](): true {
    return true
  }

  valueOf(): bigint {
    return this.value
  }

  toString(): string {
    return this.value.toString()
  }

  /** The decimal digits: a JSON number would lose those beyond 2^53. */
  toJSON(): string {
    return this.value.toString()
  }

  get [Symbol.toStringTag](): 'KvU64' {
    return 'KvU64'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `[KvU64: ${this.value}n]`
  }
}

/** Whether this is a KvU64, also one of another copy of this module in the same process. */
export function isKvU64(x: unknown): x is KvU64 {
  return typeof x === 'object' && x !== null && brand in x && 'value' in x && typeof x.value === 'bigint'
}
