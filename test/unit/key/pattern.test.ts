import { describe, expect, test } from 'vitest'
import type { Key } from '../../../src/contract/key.types.ts'
import { decodeKey, encodeKey } from '../../../src/key/codec.ts'
import {
  checkPattern,
  compareSpecificity,
  idOfKey,
  keyOfId,
  matchesPattern,
  nameOf,
  patternRange,
} from '../../../src/key/pattern.ts'
import type { IdOf, Pattern } from '../../../src/key/pattern.types.ts'
import { PatternIndex } from '../../../src/key/pattern-index.ts'
import { contains } from '../../../src/key/range.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)

describe('checkPattern', () => {
  test.each<[Pattern]>([[['*']], [['users', '*']], [[1, 1n, true, bytes(1), '*']]])(
    'takes case %#',
    (pattern) => {
      expect(() => checkPattern(pattern)).not.toThrow()
    },
  )

  test.each<[unknown]>([[[]], ['users'], [undefined], [['users', null]], [['*', Number.NaN]]])(
    'refuses case %#',
    (pattern) => {
      expect(() => checkPattern(pattern as Pattern)).toThrow(TypeError)
    },
  )

  test('names the part by its place in the pattern', () => {
    expect(() => checkPattern(['*', 'a', Symbol('x')] as unknown as Pattern)).toThrow(/part 2/)
  })
})

test('matchesPattern', () => {
  expect(matchesPattern(['users', '*'], ['users', 1])).toBe(true)
  expect(matchesPattern(['users', '*'], ['users'])).toBe(false)
  expect(matchesPattern(['users', '*'], ['users', 1, 2])).toBe(false)
  expect(matchesPattern(['users', '*'], ['posts', 1])).toBe(false)
  expect(matchesPattern([bytes(1), '*'], [bytes(1), 1])).toBe(true)
  expect(matchesPattern([bytes(1)], [bytes(2)])).toBe(false)
  expect(matchesPattern([1], [1n])).toBe(false)
})

test('compareSpecificity puts the literal first at the first difference', () => {
  const patterns: Pattern[] = [
    ['*', '*'],
    ['*', 'b'],
    ['a', '*'],
    ['a', 'b'],
  ]
  expect(patterns.toSorted(compareSpecificity)).toEqual([
    ['a', 'b'],
    ['a', '*'],
    ['*', 'b'],
    ['*', '*'],
  ])
  expect(compareSpecificity(['a', '*'], ['a', '*'])).toBe(0)
  expect(compareSpecificity([bytes(1)], [bytes(1)])).toBe(0)
  expect(compareSpecificity(['a'], ['a', '*'])).not.toBe(0)
  expect(compareSpecificity([1], ['1'])).not.toBe(0)
})

describe('nameOf', () => {
  // The same table as in test/types/pattern.test.ts, where the compiler computes the names.
  test.each<[Pattern, string]>([
    [['users', '*'], 'users'],
    [['users', '*', 'posts', '*'], 'usersPosts'],
    [['blog-posts', '*'], 'blogPosts'],
    [['site'], 'site'],
    [['user_data', '*'], 'userData'],
    [['Users', '*'], 'users'],
    [['a b.c:d/e', '*'], 'aBCDE'],
    [['--odd__name--', '*'], 'oddName'],
    [['', 'x'], 'x'],
    [['v', 1, true, 'items', '*'], 'vItems'],
    [['*', 'HTTPServer'], 'hTTPServer'],
    [['2024', 'q1'], '2024Q1'],
  ])('of case %# is %s', (pattern, name) => {
    expect(nameOf(pattern)).toBe(name)
  })

  test.each<[Pattern]>([[['*']], [[1, '*']], [['--', '*']], [[bytes(1)]]])(
    'of case %# has to be given',
    (pattern) => {
      expect(() => nameOf(pattern)).toThrow(TypeError)
      expect(() => nameOf(pattern)).toThrow(/name/)
    },
  )
})

describe('ids', () => {
  test.each<[Pattern, IdOf<Pattern>, Key]>([
    [['site'], undefined, ['site']],
    [['users', '*'], 'alice', ['users', 'alice']],
    [['users', '*'], bytes(1), ['users', bytes(1)]],
    [['users', '*'], false, ['users', false]],
    [
      ['users', '*', 'posts', '*'],
      ['alice', 7],
      ['users', 'alice', 'posts', 7],
    ],
    [
      ['*', '*', '*'],
      [1, 2n, '3'],
      [1, 2n, '3'],
    ],
  ])('of case %#', (pattern, id, key) => {
    expect(keyOfId(pattern, id)).toEqual(key)
    expect(idOfKey(pattern, key)).toEqual(id)
  })

  test.each<[Pattern, unknown, RegExp]>([
    [['site'], 'x', /\[site\].*leave it out.*single part/],
    [['users', '*'], undefined, /\[users, \*\].*one part.*none/],
    [['users', '*'], ['alice'], /one part.*array of 1/],
    [['users', '*', 'posts', '*'], 'alice', /array of 2 parts.*single part/],
    [['users', '*', 'posts', '*'], ['alice'], /array of 2 parts.*array of 1/],
    [['users', '*', 'posts', '*'], ['a', 'b', 'c'], /array of 2 parts.*array of 3/],
    [['users', '*', 'posts', '*'], undefined, /array of 2 parts.*none/],
  ])('of case %# refuse what does not fit', (pattern, id, message) => {
    expect(() => keyOfId(pattern, id as IdOf<Pattern>)).toThrow(TypeError)
    expect(() => keyOfId(pattern, id as IdOf<Pattern>)).toThrow(message)
  })

  test('are not taken from a key of another pattern', () => {
    expect(() => idOfKey(['users', '*'], ['posts', 1])).toThrow(TypeError)
  })

  test('leave the pattern unchanged', () => {
    const pattern = Object.freeze(['users', '*'] as const)
    keyOfId(pattern, 'alice')
    expect(pattern).toEqual(['users', '*'])
  })
})

describe('PatternIndex', () => {
  const index = (...patterns: Pattern[]) => new PatternIndex(patterns.map((pattern, i) => [pattern, i]))

  test('finds the most specific pattern', () => {
    const found = index(['*', '*'], ['users', '*'], ['users', 'root'], ['*', 'root'])
    expect(found.find(['users', 'root'])).toBe(2)
    expect(found.find(['users', 'alice'])).toBe(1)
    expect(found.find(['posts', 'root'])).toBe(3)
    expect(found.find(['posts', 'x'])).toBe(0)
    expect(found.find(['users'])).toBeUndefined()
    expect(found.find(['users', 'root', 1])).toBeUndefined()
  })

  test('backtracks when a literal leads nowhere', () => {
    expect(index(['a', '*', 'x'], ['*', 'b', 'y']).find(['a', 'b', 'y'])).toBe(1)
  })

  test('distinguishes parts of different types', () => {
    const found = index([1], [1n], ['1'], [true], [bytes(1)], [bytes(0x31)], [Number.POSITIVE_INFINITY])
    const parts = [1, 1n, '1', true, bytes(1), bytes(0x31), Number.POSITIVE_INFINITY]
    expect(parts.map((part) => found.find([part]))).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(found.find([false])).toBeUndefined()
    expect(index([0]).find([-0])).toBe(0)
  })

  test('finds a value that is undefined or false', () => {
    expect(new PatternIndex([[['a'], false]]).find(['a'])).toBe(false)
    expect(
      new PatternIndex<unknown>([
        [['a'], undefined],
        [['*'], 1],
      ]).find(['a']),
    ).toBeUndefined()
  })

  test('refuses two identical patterns', () => {
    expect(() => index(['a', '*'], ['a', '*'])).toThrow(TypeError)
    expect(() => index([bytes(1)], [bytes(1)])).toThrow(TypeError)
  })
})

describe('patternRange', () => {
  test('of a literal pattern has only its key', () => {
    const range = patternRange(['site'])
    expect(contains(range, encodeKey(['site']))).toBe(true)
    expect(contains(range, encodeKey(['site', 'x']))).toBe(false)
    expect(decodeKey(range.start)).toEqual(['site'])
  })

  test('of a pattern with wildcards has everything below its leading literals', () => {
    const range = patternRange(['users', '*', 'posts', '*'])
    expect(contains(range, encodeKey(['users', 'a', 'posts', 1]))).toBe(true)
    expect(contains(range, encodeKey(['users', true]))).toBe(true)
    expect(contains(range, encodeKey(['users']))).toBe(false)
    expect(contains(range, encodeKey(['userz', 'a']))).toBe(false)
  })

  test('of a leading wildcard is the whole database', () => {
    const range = patternRange(['*', 'x'])
    expect(contains(range, encodeKey([new Uint8Array()]))).toBe(true)
    expect(contains(range, encodeKey([true, 'x']))).toBe(true)
  })
})
