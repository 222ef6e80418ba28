import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sameValue } from '../../../src/schema/same-value.ts'
import { valueHash } from '../../../src/schema/value-hash.ts'
import { decodeValue, encodeValue } from '../../../src/value/codec.ts'
import { anyValue } from '../../property/any-value.ts'

it('is the same for the same value, whatever the order of its names', () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const other = reordered(value)
      fc.pre(sameValue(value, other))
      expect(valueHash(other)).toBe(valueHash(value))
    }),
    { numRuns: 2_000 },
  )
})

it('tells most values apart, and takes a value that contains itself', () => {
  const values = Array.from({ length: 1_000 }, (_, n) => [{ n, at: new Date(n), text: `Text ${n}` }])
  expect(new Set(values.map((value) => valueHash(value))).size).toBeGreaterThan(990)
  const own: unknown[] = []
  own.push(own)
  expect(valueHash(own)).toBe(valueHash(own))
})

function reordered(value: unknown): unknown {
  const stored = encodeValue(value)
  const copy = decodeValue(stored.value, stored.encoding, stored.types)
  if (typeof copy !== 'object' || copy === null || Object.getPrototypeOf(copy) !== Object.prototype)
    return copy
  return Object.fromEntries(Object.entries(copy).reverse())
}
