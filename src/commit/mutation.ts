import { copiedKvU64, isKvU64, type KvU64 } from '../value/kv-u64.ts'

/** The mutations that compute a KvU64 from the stored one. */
export type Arithmetic = 'sum' | 'min' | 'max'

const max = 2n ** 64n - 1n

/**
 * The operand of a `sum`, `min` or `max` as a bigint. `sum` takes a KvU64, or a bigint from -(2^64 - 1) to 2^64 - 1; `min` and
 * `max` take a KvU64, or a bigint from 0 to 2^64 - 1. Throws a TypeError for anything else, and a RangeError if the bigint is out
 * of range.
 */
export function checkOperand(op: Arithmetic, n: bigint | KvU64): bigint {
  const operand = isKvU64(n) ? n.value : (copiedKvU64(n)?.value ?? n)
  if (typeof operand !== 'bigint') {
    const hint =
      typeof operand === 'number' && Number.isSafeInteger(operand) ? `: write ${operand}n` : ', as 5n'
    throw new TypeError(
      `${op} takes a bigint or a KvU64${hint}; got ${operand === null ? 'null' : typeof operand}`,
    )
  }
  const min = op === 'sum' ? -max : 0n
  if (operand < min || operand > max) {
    throw new RangeError(`${op} takes ${op === 'sum' ? '-(2^64 - 1)' : '0'} to 2^64 - 1; got ${operand}`)
  }
  return operand
}

/**
 * The value after a mutation; `current` is null if the key has none. Adding wraps modulo 2^64. Throws a RangeError if a negative
 * `sum` would go below zero.
 *
 * @example
 * applyArithmetic('sum', 2n ** 64n - 1n, 3n)   // 2n
 * applyArithmetic('max', null, 5n)             // 5n
 */
export function applyArithmetic(op: Arithmetic, current: bigint | null, operand: bigint): bigint {
  if (op === 'sum') {
    const total = (current ?? 0n) + operand
    if (total < 0n) {
      throw new RangeError(
        `sum of ${operand} would take ${current ?? 'a missing value'} below zero, so nothing was written`,
      )
    }
    return BigInt.asUintN(64, total)
  }
  if (current === null) return operand
  if (op === 'min') return operand < current ? operand : current
  return operand > current ? operand : current
}
