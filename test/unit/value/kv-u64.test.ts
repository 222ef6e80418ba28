import { inspect } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { copiedKvU64, isKvU64, KvU64 } from '../../../src/value/kv-u64.ts'

describe('KvU64', () => {
  it('holds 0 to 2^64 - 1', () => {
    expect(new KvU64(0n).value).toBe(0n)
    expect(new KvU64(2n ** 64n - 1n).value).toBe(2n ** 64n - 1n)
    expect(() => new KvU64(-1n)).toThrow(RangeError)
    expect(() => new KvU64(2n ** 64n)).toThrow(RangeError)
  })

  it.each([5, '5', null, undefined, {}])('refuses %o, and says what to write', (value) => {
    expect(() => new KvU64(value as never)).toThrow(/new KvU64\(5n\)/)
    expect(() => new KvU64(value as never)).toThrow(TypeError)
  })

  it('reads as its number', () => {
    const five = new KvU64(5n)
    expect(five.valueOf()).toBe(5n)
    expect(`${five}`).toBe('5')
    expect(JSON.stringify({ five })).toBe('{"five":"5"}')
    expect(inspect(five)).toBe('[KvU64: 5n]')
  })

  it('does not change', () => {
    expect(Object.isFrozen(new KvU64(1n))).toBe(true)
  })

  it('is distinguished from a plain object by what a structured clone keeps', () => {
    const copy = structuredClone({ likes: new KvU64(5n) }).likes
    expect(isKvU64(copy)).toBe(false)
    expect(copiedKvU64(copy)).toEqual(new KvU64(5n))
    expect(copiedKvU64(structuredClone(copy))).toEqual(new KvU64(5n))
    expect([{ value: 5n }, { value: -1n, 'valkeyrie.KvU64': true }, null, 5n].map(copiedKvU64)).toEqual([
      null,
      null,
      null,
      null,
    ])
  })

  it('is recognized across copies of the module', async () => {
    vi.resetModules()
    const copy = await import('../../../src/value/kv-u64.ts')
    expect(copy.KvU64).not.toBe(KvU64)
    expect(isKvU64(new copy.KvU64(1n))).toBe(true)
    expect([{ value: 1n }, 1n, null, undefined, 'KvU64'].map(isKvU64)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ])
  })
})
