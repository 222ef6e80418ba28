import { expect, test } from 'vitest'
import { formatVersionstamp, isVersionstamp, parseVersionstamp } from '../../../src/key/versionstamp.ts'

test.each<[number, string]>([
  [0, '00000000000000000000'],
  [1, '00000000000000000001'],
  [255, '000000000000000000ff'],
  [4095, '00000000000000000fff'],
  [4096, '00000000000000001000'],
  [2 ** 32, '00000000000100000000'],
  [Number.MAX_SAFE_INTEGER, '0000001fffffffffffff'],
])('%d is %s', (version, text) => {
  expect(formatVersionstamp(version)).toBe(text)
  expect(parseVersionstamp(text)).toBe(version)
  expect(isVersionstamp(text)).toBe(true)
})

test.each<[unknown]>([
  [''],
  ['1'],
  ['0000000000000000000F'],
  ['0000000000000000000g'],
  ['00000000000000000001\n'],
  ['000000000000000000001'],
  [1],
  [null],
])('%j is not a versionstamp', (text) => {
  expect(() => parseVersionstamp(text as string)).toThrow(TypeError)
  expect(isVersionstamp(text)).toBe(false)
})

test('a versionstamp beyond 2^53 - 1 is refused', () => {
  expect(() => parseVersionstamp('00000020000000000000')).toThrow(RangeError)
  expect(isVersionstamp('00000020000000000000')).toBe(false)
  expect(() => parseVersionstamp('ffffffffffffffffffff')).toThrow(RangeError)
})
