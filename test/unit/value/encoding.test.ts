import { describe, expect, it } from 'vitest'
import { Encoding, exceeds, type StoredValue, storedBytes } from '../../../src/value/encoding.ts'

const text = (value: string, types: string | null = null): StoredValue => ({
  value,
  encoding: Encoding.json,
  types,
})

describe('storedBytes', () => {
  it('counts UTF-8, and the types', () => {
    expect(storedBytes(text('"é€😀"'))).toBe(2 + 2 + 3 + 4)
    expect(storedBytes(text('"a"', '"é"'))).toBe(3 + 4)
    expect(storedBytes({ value: new Uint8Array(7), encoding: Encoding.bytes, types: null })).toBe(7)
  })
})

describe('exceeds', () => {
  it.each([
    text(''),
    text('"ascii"'),
    text('"é€😀"'),
    text('€€€€'),
    text('"a"', '"€€"'),
    { value: new Uint8Array(7), encoding: Encoding.bytes, types: null },
    { value: new Uint8Array(7), encoding: Encoding.bytes, types: '€' },
  ])('says of %o what storedBytes says', (stored) => {
    for (let limit = 0; limit < 50; limit++) expect(exceeds(stored, limit)).toBe(storedBytes(stored) > limit)
  })
})
