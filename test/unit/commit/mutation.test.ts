import { describe, expect, it } from 'vitest'
import { applyArithmetic, checkOperand } from '../../../src/commit/mutation.ts'
import { KvU64 } from '../../../src/value/kv-u64.ts'

const max = 2n ** 64n - 1n

describe('checkOperand', () => {
  it('takes a bigint or a KvU64', () => {
    expect(checkOperand('sum', 5n)).toBe(5n)
    expect(checkOperand('sum', -max)).toBe(-max)
    expect(checkOperand('min', 0n)).toBe(0n)
    expect(checkOperand('max', new KvU64(max))).toBe(max)
  })

  it('refuses what is out of range', () => {
    for (const op of ['sum', 'min', 'max'] as const)
      expect(() => checkOperand(op, max + 1n)).toThrow(RangeError)
    expect(() => checkOperand('sum', -max - 1n)).toThrow(RangeError)
    expect(() => checkOperand('min', -1n)).toThrow(RangeError)
    expect(() => checkOperand('max', -1n)).toThrow(RangeError)
  })

  it('says what to write instead of a number', () => {
    expect(() => checkOperand('sum', 5 as never)).toThrow(
      new TypeError('sum takes a bigint or a KvU64: write 5n; got number'),
    )
    for (const n of [1.5, NaN, '5', null, undefined, {}]) {
      expect(() => checkOperand('max', n as never)).toThrow(/^max takes a bigint or a KvU64, as 5n/)
    }
  })
})

describe('applyArithmetic', () => {
  it('creates what is missing', () => {
    for (const op of ['sum', 'min', 'max'] as const) expect(applyArithmetic(op, null, 5n)).toBe(5n)
  })

  it('wraps as it adds, and never below zero', () => {
    expect(applyArithmetic('sum', max, 3n)).toBe(2n)
    expect(applyArithmetic('sum', max, max)).toBe(max - 1n)
    expect(applyArithmetic('sum', 5n, -5n)).toBe(0n)
    expect(() => applyArithmetic('sum', 5n, -7n)).toThrow(
      new RangeError('sum of -7 would take 5 below zero, so nothing was written'),
    )
    expect(() => applyArithmetic('sum', null, -1n)).toThrow('sum of -1 would take a missing value below zero')
  })

  it('keeps the smaller or the larger', () => {
    expect(applyArithmetic('min', 5n, 7n)).toBe(5n)
    expect(applyArithmetic('min', 7n, 5n)).toBe(5n)
    expect(applyArithmetic('max', 5n, 7n)).toBe(7n)
    expect(applyArithmetic('max', 7n, 5n)).toBe(7n)
  })
})
