import { KvU64 as StoredU64 } from '../value/kv-u64.ts'

const most = 2n ** 64n - 1n

/** An unsigned integer of 64 bits, like `Deno.KvU64`. It is also a `KvU64` of `valkeyrie`. */
export class KvU64 extends StoredU64 {
  constructor(value: bigint) {
    if (typeof value !== 'bigint') throw new TypeError(`Value must be a bigint: received ${typeof value}`)
    if (value < 0n) throw new RangeError(`Value must be a positive bigint: received ${value}`)
    if (value > most) throw new RangeError('Value must fit in a 64-bit unsigned integer')
    super(value)
  }

  override get [Symbol.toStringTag](): 'KvU64' {
    return 'Deno.KvU64' as 'KvU64'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `[Deno.KvU64: ${this.value}n]`
  }
}
