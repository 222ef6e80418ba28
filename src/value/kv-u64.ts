const brand = Symbol.for('valkeyrie.KvU64')
/** A property that survives a structured clone, and distinguishes a copy of a KvU64 from any other object with a `value`. */
const copyMark = 'valkeyrie.KvU64'
const max = 2n ** 64n - 1n

/**
 * An unsigned integer of 64 bits, frozen: the value that `sum`, `min` and `max` work on. It is always a whole value, never part
 * of another. `structuredClone` and `postMessage` turn it into a plain object with its `value`; stored, that is a KvU64 again.
 */
export class KvU64 {
  /** The integer, 0 to 2^64 - 1. */
  readonly value: bigint

  /**
   * Throws a TypeError if `value` is not a bigint, and a RangeError if it is outside 0 to 2^64 - 1.
   *
   * ```ts
   * await db.set(['likes'], new KvU64(5n))
   * await db.atomic().sum(['likes'], 2n).commit()
   * const likes = await db.get(['likes'])
   * likes.value // => [KvU64: 7n]
   * ```
   */
  constructor(value: bigint) {
    if (typeof value !== 'bigint') {
      throw new TypeError(
        `KvU64 takes a bigint, as new KvU64(5n); got ${value === null ? 'null' : typeof value}`,
      )
    }
    if (value < 0n || value > max) throw new RangeError(`KvU64 holds 0 to 2^64 - 1; got ${value}`)
    this.value = value
    // Copies of the KvU64 of `valkeyrie/deno` are plain, as those of Deno are.
    if (new.target === KvU64) Object.defineProperty(this, copyMark, { value: true, enumerable: true })
    Object.freeze(this)
  }

  get [brand](): true {
    return true
  }

  /**
   * The integer, for operators.
   *
   * ```ts
   * new KvU64(7n).valueOf() // => 7n
   * ```
   */
  valueOf(): bigint {
    return this.value
  }

  /**
   * The decimal digits.
   *
   * ```ts
   * String(new KvU64(7n)) // => '7'
   * ```
   */
  toString(): string {
    return this.value.toString()
  }

  /**
   * The decimal digits, because a JSON number would lose those beyond 2^53.
   *
   * ```ts
   * JSON.stringify({ likes: new KvU64(7n) }) // => '{"likes":"7"}'
   * ```
   */
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

/**
 * Whether this is a KvU64, even from another copy of this module in the same process.
 *
 * ```ts
 * const visits = await db.get(['visits'])
 * isKvU64(visits.value) // => true
 * isKvU64(7n) // => false
 * ```
 */
export function isKvU64(x: unknown): x is KvU64 {
  return typeof x === 'object' && x !== null && brand in x && 'value' in x && typeof x.value === 'bigint'
}

/** The KvU64 that a structured clone turned into this plain object; null for anything else. */
export function copiedKvU64(x: unknown): KvU64 | null {
  if (typeof x !== 'object' || x === null || !Object.hasOwn(x, copyMark)) return null
  const { value, [copyMark]: marked } = x as { readonly value?: unknown; readonly [copyMark]?: unknown }
  return marked === true && typeof value === 'bigint' && value >= 0n && value < 2n ** 64n
    ? new KvU64(value)
    : null
}
