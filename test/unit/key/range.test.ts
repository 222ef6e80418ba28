import { describe, expect, test } from 'vitest'
import type { Key } from '../../../src/contract/key.types.ts'
import { encodeKey, encodePrefix } from '../../../src/key/codec.ts'
import {
  contains,
  isEmptyRange,
  prefixRange,
  type Selector,
  selectorRange,
  singleKeyRange,
} from '../../../src/key/range.ts'

const keys: Key[] = [
  ['a'],
  ['a', new Uint8Array()],
  ['a', 'b'],
  ['a', 'b', 'c'],
  ['a', 'c'],
  ['a', 1n],
  ['a', 1],
  ['a', true],
  ['a\0'],
  ['a\0b', 'c'],
  ['b'],
  [true],
]
const selected = (selector: Selector) => {
  const range = selectorRange(selector)
  return keys.filter((key) => contains(range, encodeKey(key)))
}

describe('a selector', () => {
  test('of a prefix gives the keys below it, not the key itself', () => {
    expect(selected({ prefix: ['a'] })).toEqual(keys.slice(1, 8))
    expect(selected({ prefix: ['a', 'b'] })).toEqual([['a', 'b', 'c']])
  })

  test('of the empty prefix gives everything', () => {
    expect(selected({ prefix: [] })).toEqual(keys)
  })

  test('of a prefix and a start includes the start', () => {
    expect(selected({ prefix: ['a'], start: ['a', 'b', 'c'] })).toEqual(keys.slice(3, 8))
  })

  test('of a prefix and an end excludes the end', () => {
    expect(selected({ prefix: ['a'], end: ['a', 'c'] })).toEqual(keys.slice(1, 4))
  })

  test('of a start and an end', () => {
    expect(selected({ start: ['a'], end: ['a', 1] })).toEqual(keys.slice(0, 6))
    expect(selected({ start: [], end: ['b'] })).toEqual(keys.slice(0, 10))
  })

  test('with start and end equal is empty', () => {
    expect(isEmptyRange(selectorRange({ start: ['a'], end: ['a'] }))).toBe(true)
    expect(isEmptyRange(selectorRange({ prefix: ['a'] }))).toBe(false)
  })

  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /Not a selector/],
    ['null', null, /Not a selector/],
    ['a key', ['a'], /Not a selector/],
    ['an empty object', {}, /needs both start and end/],
    ['a start alone', { start: ['a'] }, /needs both start and end/],
    ['an end alone', { end: ['a'] }, /needs both start and end/],
    ['an unknown property', { prefix: ['a'], limit: 1 }, /'limit'/],
    ['all three', { prefix: [], start: ['a'], end: ['b'] }, /at once/],
    ['a prefix that is not a key', { prefix: 'a' }, /array of parts/],
    ['a wildcard', { prefix: ['users', '*'] }, /part 1 is '\*'/],
    ['a start outside the prefix', { prefix: ['a'], start: ['b'] }, /start .* must begin with its prefix/],
    ['a start that is the prefix', { prefix: ['a'], start: ['a'] }, /start .* be longer/],
    ['an end outside the prefix', { prefix: ['a'], end: ['b'] }, /end .* must begin with its prefix/],
    ['a start whose text only begins alike', { prefix: ['a'], start: ['a\0b', 'c'] }, /start/],
  ])('refuses %s', (_, selector, message) => {
    expect(() => selectorRange(selector as Selector)).toThrow(TypeError)
    expect(() => selectorRange(selector as Selector)).toThrow(message)
  })

  test('refuses a start after the end', () => {
    expect(() => selectorRange({ start: ['b'], end: ['a'] })).toThrow(RangeError)
  })

  test('refuses keys beyond the limit', () => {
    expect(() => selectorRange({ prefix: ['abcdef'] }, 5)).toThrow(RangeError)
  })
})

test('the range of one key has no other', () => {
  const range = singleKeyRange(encodeKey(['a']))
  expect(keys.filter((key) => contains(range, encodeKey(key)))).toEqual([['a']])
})

test('the bytes of a prefix range', () => {
  const { start, end } = prefixRange(encodePrefix(['a']))
  expect(Buffer.from(start).toString('hex')).toBe('02610000')
  expect(Buffer.from(end).toString('hex')).toBe('026100ff')
})
