import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CorruptKeyError } from '../../src/contract/errors.ts'
import type { Key, KeyPart } from '../../src/contract/key.types.ts'
import {
  compareBytes,
  compareKeys,
  decodeKey,
  encodeKey,
  encodeParts,
  encodePrefix,
} from '../../src/key/codec.ts'
import { encodeCursor, resumeRange } from '../../src/key/cursor.ts'
import { compareSpecificity, idOfKey, keyOfId, matchesPattern, patternRange } from '../../src/key/pattern.ts'
import type { Pattern } from '../../src/key/pattern.types.ts'
import { PatternIndex } from '../../src/key/pattern-index.ts'
import { contains, prefixRange, selectorRange } from '../../src/key/range.ts'
import { formatVersionstamp, parseVersionstamp } from '../../src/key/versionstamp.ts'
import { anyCharacter } from '../any-character.ts'
import { extent } from '../extent.ts'

const text = fc
  .oneof(
    fc.string({ unit: anyCharacter, maxLength: 60 }),
    fc.string({ unit: fc.constantFrom('\0', '\x01', '\x02', '\x7f', '\x80', '\ue000', '\uffff', '😀', 'a') }),
  )
  .filter((s) => s !== '*')
const integer = fc.oneof(
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.bigInt({ min: -(2n ** 2040n) + 1n, max: 2n ** 2040n - 1n }),
  fc
    .tuple(fc.integer({ min: 0, max: 300 }), fc.constantFrom(-1n, 0n, 1n), fc.constantFrom(-1n, 1n))
    .map(([bits, near, sign]) => sign * (2n ** BigInt(bits) + near)),
)
const number = fc.oneof(
  fc.double({ noNaN: true }).map((n) => n + 0),
  fc.integer({ min: -3, max: 3 }),
)
const part: fc.Arbitrary<KeyPart> = fc.oneof(
  text,
  integer,
  number,
  fc.boolean(),
  fc.uint8Array({ maxLength: 12 }),
  fc.array(fc.constantFrom(0, 1, 0xff), { maxLength: 4 }).map((values) => Uint8Array.from(values)),
)
const key: fc.Arbitrary<Key> = fc.array(part, { minLength: 1, maxLength: 5 })
/** Two keys that often begin alike. */
const keyPair = fc
  .tuple(fc.array(part, { maxLength: 3 }), fc.array(part, { maxLength: 2 }), fc.array(part, { maxLength: 2 }))
  .map(([head, a, b]): [Key, Key] => [
    [...head, ...a],
    [...head, ...b],
  ])
  .filter(([a, b]) => a.length > 0 && b.length > 0)

test('decode ∘ encode = id', () => {
  fc.assert(
    fc.property(key, (k) => {
      expect(decodeKey(encodeKey(k))).toEqual(k)
      expect(decodeKey(new Uint8Array(encodeKey(k)))).toEqual(k)
    }),
    { numRuns: extent('keys', 600, 2_000) },
  )
})

test('keys order as their bytes do', () => {
  fc.assert(
    fc.property(fc.oneof(keyPair, fc.tuple(key, key)), ([a, b]) => {
      const order = Math.sign(compareBytes(encodeKey(a), encodeKey(b)))
      expect(Math.sign(compareKeys(a, b))).toBe(order)
      expect(Math.sign(compareKeys(b, a))).toBe(0 - order)
      expect(compareKeys(a, a)).toBe(0)
    }),
    { numRuns: extent('keys', 900, 3_000) },
  )
})

test('these keys are in order', () => {
  const ordered: Key[] = [
    [Uint8Array.of()],
    [Uint8Array.of(0)],
    [Uint8Array.of(0, 0xff)],
    [Uint8Array.of(1)],
    [''],
    ['a'],
    ['a', 'b'],
    ['a\0\x02b'],
    ['b'],
    ['\uffff'],
    ['\u{10000}'],
    [-(2n ** 64n)],
    [-(2n ** 64n) + 1n],
    [-256n],
    [-255n],
    [-1n],
    [0n],
    [1n],
    [2n ** 64n - 1n],
    [2n ** 64n],
    [Number.NEGATIVE_INFINITY],
    [-2],
    [-1],
    [-5e-324],
    [0],
    [5e-324],
    [1],
    [Number.POSITIVE_INFINITY],
    [false],
    [true],
    [true, false],
  ]
  for (const [i, a] of ordered.entries()) {
    for (const [j, b] of ordered.entries()) {
      expect(Math.sign(compareKeys(a, b))).toBe(Math.sign(i - j))
      expect(Math.sign(compareBytes(encodeKey(a), encodeKey(b)))).toBe(Math.sign(i - j))
    }
  }
})

test('the bytes of a key begin with those of each of its prefixes', () => {
  fc.assert(
    fc.property(key, fc.nat(4), (k, n) => {
      const head = k.slice(0, n)
      expect(encodeParts(encodePrefix(head), k.slice(n))).toEqual(encodeKey(k))
      expect(contains(prefixRange(encodePrefix(head)), encodeKey(k))).toBe(k.length > n)
    }),
  )
})

test('a prefix range has the longer keys that begin with the prefix, and no others', () => {
  fc.assert(
    fc.property(keyPair, ([prefix, k]) => {
      const below = k.length > prefix.length && compareKeys(k.slice(0, prefix.length), prefix) === 0
      expect(contains(selectorRange({ prefix }), encodeKey(k))).toBe(below)
    }),
    { numRuns: extent('keys', 300, 1_000) },
  )
})

/** Bytes that are nearly a key: pieces of encodings, some of them damaged. */
const almostKey = fc
  .array(
    fc.oneof(
      key.map((k): Uint8Array => encodeKey(k)),
      fc.uint8Array({ maxLength: 12 }),
      fc
        .constantFrom(0x00, 0x01, 0x02, 0x0b, 0x0c, 0x13, 0x15, 0x1d, 0x21, 0x7f, 0x80, 0xff)
        .map((b) => Uint8Array.of(b)),
    ),
    { maxLength: 4 },
  )
  .map((pieces) => Uint8Array.from(Buffer.concat(pieces)))

const damagedKey = fc.tuple(key, fc.nat(), fc.nat(255), fc.nat()).map(([k, at, byte, cut]) => {
  const bytes = Uint8Array.from(encodeKey(k))
  bytes[at % bytes.length] = byte
  return cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes
})

test('any bytes are an encoded key, which encodes to the same bytes, or a CorruptKeyError', () => {
  fc.assert(
    fc.property(fc.oneof(almostKey, damagedKey, fc.uint8Array({ maxLength: 20 })), (bytes) => {
      let decoded: Key
      try {
        decoded = decodeKey(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptKeyError)
        return
      }
      expect(Uint8Array.from(encodeKey(decoded))).toEqual(Uint8Array.from(bytes))
    }),
    { numRuns: extent('keys', 1_500, 5_000) },
  )
})

test('a cursor splits a range at its key', () => {
  fc.assert(
    fc.property(key, key, (last, other) => {
      const whole = selectorRange({ prefix: [] })
      const cursor = encodeCursor(encodeKey(last))
      const order = compareKeys(other, last)
      expect(contains(resumeRange(whole, cursor, false), encodeKey(other))).toBe(order > 0)
      expect(contains(resumeRange(whole, cursor, true), encodeKey(other))).toBe(order < 0)
    }),
  )
})

test('versionstamps round trip and order as versions do', () => {
  const version = fc.maxSafeNat()
  fc.assert(
    fc.property(version, version, (a, b) => {
      expect(parseVersionstamp(formatVersionstamp(a))).toBe(a)
      expect(formatVersionstamp(a) < formatVersionstamp(b)).toBe(a < b)
    }),
  )
})

const fewParts: fc.Arbitrary<KeyPart> = fc.constantFrom<KeyPart>('a', 'b', 1, 1n, true, '1', Uint8Array.of(1))
const fewKeys = fc.array(fewParts, { minLength: 1, maxLength: 4 })
const pattern: fc.Arbitrary<Pattern> = fc.array(
  fc.oneof(fewParts, fc.constantFrom('a', 'b'), fc.constant('*'), fc.constant('*')),
  { minLength: 1, maxLength: 4 },
)
const patterns = fc.uniqueArray(pattern, {
  maxLength: 30,
  comparator: (a, b) => compareSpecificity(a, b) === 0,
})

test('PatternIndex finds the first match in the order of specificity', () => {
  fc.assert(
    fc.property(patterns, fc.array(fewKeys, { maxLength: 20 }), (all, keys) => {
      const index = new PatternIndex(all.map((p) => [p, p]))
      const sorted = all.toSorted(compareSpecificity)
      for (const k of keys) {
        expect(index.find(k)).toBe(sorted.find((p) => matchesPattern(p, k)))
      }
    }),
    { numRuns: extent('keys', 150, 500) },
  )
})

test('compareSpecificity is an order, 0 for identical patterns only', () => {
  const same = (a: Pattern, b: Pattern) => encoded(a) === encoded(b)
  const encoded = (p: Pattern) => p.map((x) => (x === '*' ? '*' : encodeKey([x]).toString('hex'))).join()
  fc.assert(
    fc.property(pattern, pattern, pattern, (a, b, c) => {
      expect(compareSpecificity(a, b) === 0).toBe(same(a, b))
      expect(Math.sign(compareSpecificity(a, b))).toBe(0 - Math.sign(compareSpecificity(b, a)))
      if (compareSpecificity(a, b) <= 0 && compareSpecificity(b, c) <= 0) {
        expect(compareSpecificity(a, c)).toBeLessThanOrEqual(0)
      }
    }),
    { numRuns: extent('keys', 300, 1_000) },
  )
})

test('an id and its key give each other, and the key lies in the range of the pattern', () => {
  fc.assert(
    fc.property(pattern, fc.array(part, { minLength: 4, maxLength: 4 }), (p, parts) => {
      const k = p.map((x, i) => (x === '*' ? parts[i]! : x))
      expect(matchesPattern(p, k)).toBe(true)
      expect(keyOfId(p, idOfKey(p, k))).toEqual(k)
      expect(contains(patternRange(p), encodeKey(k))).toBe(true)
    }),
  )
})
