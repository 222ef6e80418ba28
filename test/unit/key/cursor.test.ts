import { expect, test } from 'vitest'
import { encodeKey } from '../../../src/key/codec.ts'
import { encodeCursor, resumeRange } from '../../../src/key/cursor.ts'
import { contains, selectorRange } from '../../../src/key/range.ts'

const range = selectorRange({ prefix: ['a'] })
const keys = [1, 2, 3, 4].map((n) => encodeKey(['a', n]))
const cursor = encodeCursor(keys[1]!)
const left = (reverse: boolean) => {
  const rest = resumeRange(range, cursor, reverse)
  return keys.flatMap((key, i) => (contains(rest, key) ? [i] : []))
}

test('a list continues after the key of its cursor', () => {
  expect(left(false)).toEqual([2, 3])
  expect(left(true)).toEqual([0])
})

test('a cursor is text that fits in a URL', () => {
  expect(cursor).toMatch(/^[\w-]+$/)
})

test('no cursor, or an empty one, leaves the whole range', () => {
  expect(resumeRange(range, undefined, false)).toBe(range)
  expect(resumeRange(range, '', true)).toBe(range)
})

test.each<[string, unknown]>([
  ['a number', 1],
  ['null', null],
  ['free text', 'hello world'],
  ['padded base64', `${cursor}=`],
  ['surrounding space', ` ${cursor}`],
  ['another format', Buffer.from([2, ...keys[1]!]).toString('base64url')],
  ['no key behind the marker', Buffer.from([1]).toString('base64url')],
  ['a broken key', Buffer.from([1, ...keys[1]!.subarray(0, 4)]).toString('base64url')],
  ['a key of another list', encodeCursor(encodeKey(['b', 1]))],
])('refuses %s', (_, text) => {
  expect(() => resumeRange(range, text as string, false)).toThrow(TypeError)
  expect(() => resumeRange(range, text as string, false)).toThrow(/cursor.*same selector/)
})
