import { describe, expect, test } from 'vitest'
import { CorruptKeyError } from '../../../src/contract/errors.ts'
import type { Key, KeyPart } from '../../../src/contract/key.types.ts'
import {
  compareBytes,
  compareKeys,
  decodeKey,
  encodeKey,
  encodeParts,
  encodePrefix,
} from '../../../src/key/codec.ts'
import golden from '../../conformance/key-golden.json' with { type: 'json' }

const hex = (key: Key) => encodeKey(key).toString('hex')
const bytes = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

function transferred(): Uint8Array {
  const part = bytes('0a0b')
  structuredClone(part, { transfer: [part.buffer as ArrayBuffer] })
  return part
}

interface TaggedPart {
  readonly string?: string
  readonly bytes?: string
  readonly bigint?: string
  readonly number?: number | string
  readonly boolean?: boolean
}

function untag(part: TaggedPart): KeyPart {
  if (part.string !== undefined) return part.string
  if (part.bytes !== undefined) return bytes(part.bytes)
  if (part.bigint !== undefined) return BigInt(part.bigint)
  if (part.number !== undefined) return Number(part.number)
  return part.boolean!
}

describe('the golden vectors', () => {
  const vectors = golden.map((vector) => ({ key: vector.key.map(untag), hex: vector.hex }))

  test.each(vectors)('$hex', ({ key, hex: expected }) => {
    expect(hex(key)).toBe(expected)
    expect(decodeKey(bytes(expected))).toEqual(key)
  })

  test('sort alike as keys and as bytes', () => {
    const byKey = vectors.toSorted((a, b) => compareKeys(a.key, b.key))
    const byBytes = vectors.toSorted((a, b) => compareBytes(bytes(a.hex), bytes(b.hex)))
    expect(byKey.map((vector) => vector.hex)).toEqual(byBytes.map((vector) => vector.hex))
  })
})

describe("the examples of FoundationDB's design/tuple.md", () => {
  test.each<[string, Key]>([
    ['01666f6f00ff62617200', [bytes('666f6f00626172')]],
    ['0246c3944f00ff62617200', ['FÔO\0bar']],
    ['11ab4b93', [-5551212n]],
  ])('%s', (expected, key) => {
    expect(hex(key)).toBe(expected)
  })
})

describe('encodeKey refuses', () => {
  const misuse = (key: unknown) => () => encodeKey(key as Key)

  test.each<[string, unknown, RegExp]>([
    ['what is not an array', 'users', /array of parts.*got string/],
    ['null', null, /array of parts.*got null/],
    ['a Uint8Array', new Uint8Array(2), /array of parts.*got Uint8Array/],
    ['no parts', [], /at least one part/],
    ['null as a part', ['a', null], /part 1 .*got null/],
    ['undefined as a part', [undefined], /part 0 .*got undefined/],
    ['a symbol as a part', [Symbol('x')], /part 0 .*got symbol/],
    ['an object as a part', ['a', 'b', {}], /part 2 .*got Object/],
    ['an object without a prototype', [Object.create(null)], /part 0 .*got an object/],
    ['a nested array', [['a']], /part 0 .*got Array/],
    ['a hole', Array(1), /part 0 .*got undefined/],
    ['NaN', ['a', Number.NaN], /part 1 is NaN/],
    ['a lone surrogate', ['\ud800'], /part 0 has a lone surrogate/],
    ['a lone surrogate in a long string', [`${'x'.repeat(100)}\udc00`], /toWellFormed/],
    ['bytes that were transferred', ['a', transferred()], /part 1 has no memory any more/],
    ['the wildcard', ['users', '*'], /part 1 is '\*'/],
  ])('%s', (_, key, message) => {
    expect(misuse(key)).toThrow(TypeError)
    expect(misuse(key)).toThrow(message)
  })

  test.each<[string, Key]>([
    ['a long string', ['x'.repeat(3000)]],
    ['a string that grows in UTF-8', ['€'.repeat(700)]],
    ['zeros, which are escaped', ['\0'.repeat(1100)]],
    ['long bytes', [new Uint8Array(1024)]],
    ['many parts', Array(2049).fill(true)],
  ])('a key beyond the limit: %s', (_, key) => {
    expect(() => encodeKey(key)).toThrow(RangeError)
    expect(() => encodeKey(key)).toThrow(/longer than 2048 bytes.*limits\.keyBytes/)
    expect(decodeKey(encodeKey(key, 10_000))).toEqual(key)
  })

  test('a bigint of more than 255 bytes', () => {
    expect(() => encodeKey([2n ** 2040n])).toThrow(RangeError)
    expect(() => encodeKey(['a', -(2n ** 2040n)])).toThrow(
      'Key part 1 is a bigint of 256 bytes, and one has at most 255: its size must be below 2n ** 2040n; store a larger one as a string or bytes',
    )
    expect(decodeKey(encodeKey([2n ** 2040n - 1n]))).toEqual([2n ** 2040n - 1n])
  })
})

describe('encodeKey', () => {
  test('writes a key of exactly the limit', () => {
    expect(encodeKey(['abc'], 5)).toHaveLength(5)
    expect(() => encodeKey(['abcd'], 5)).toThrow(RangeError)
  })

  test('writes -0 as 0', () => {
    expect(hex([-0])).toBe(hex([0]))
  })

  test('gives bytes that later keys, refused or long ones too, do not change', () => {
    const written: [Key, Uint8Array, string][] = []
    for (let i = 0; i < 3000; i++) {
      const key = [`user-${i}`, i, BigInt(i) ** 20n, 'é'.repeat(i % 50), new Uint8Array(i % 7)]
      const encoded = encodeKey(key)
      written.push([key, encoded, encoded.toString('hex')])
      if (i % 10 === 0) expect(() => encodeKey(['x'.repeat(100), Number.NaN])).toThrow(TypeError)
      if (i % 100 === 0) encodeKey(['y'.repeat(40_000)], 100_000)
    }
    for (const [key, encoded, text] of written) {
      expect(Buffer.from(encoded).toString('hex')).toBe(text)
      expect(decodeKey(encoded)).toEqual(key)
    }
  })

  test('does not keep a large buffer alive for a key', () => {
    expect(encodeKey(['z'.repeat(1000)]).buffer.byteLength).toBeLessThanOrEqual(65_536)
    expect(encodeKey(['z'.repeat(100_000)], 200_000).buffer.byteLength).toBeLessThan(110_000)
    expect(encodeKey(['z']).buffer.byteLength).toBeLessThanOrEqual(65_536)
  })

  test('takes a byte string that is a view of a larger buffer', () => {
    const view = bytes('00 01 02 03').subarray(1, 3)
    expect(hex([view])).toBe('01010200')
    expect(hex([Buffer.from([1, 2])])).toBe('01010200')
  })
})

describe('prefixes', () => {
  test('may be empty', () => {
    expect(encodePrefix([])).toHaveLength(0)
  })

  test('go on with encodeParts', () => {
    expect(encodeParts(encodePrefix(['users']), ['alice', 1])).toEqual(encodeKey(['users', 'alice', 1]))
    expect(encodeParts(encodePrefix([]), ['a'])).toEqual(encodeKey(['a']))
  })

  test('count in the limit', () => {
    expect(() => encodeParts(encodePrefix(['users']), ['alice'], 13)).toThrow(RangeError)
    expect(encodeParts(encodePrefix(['users']), ['alice'], 14)).toHaveLength(14)
    expect(() => encodeParts(new Uint8Array(20), [], 13)).toThrow(RangeError)
  })

  test('are checked like keys', () => {
    expect(() => encodePrefix('users' as unknown as Key)).toThrow(TypeError)
    expect(() => encodeParts(new Uint8Array(), ['*'])).toThrow(TypeError)
  })
})

describe('decodeKey refuses', () => {
  test.each([
    ['nothing', ''],
    ['code 00', '00'],
    ['code 03', '03'],
    ['code ff', 'ff'],
    ['a null of FoundationDB', '0200 00'],
    ['a 32-bit float of FoundationDB', '20 80000000'],
    ['a string without its end', '02 61'],
    ['a string that ends in an escape', '02 61 00 ff'],
    ['bytes without their end', '01 61'],
    ['a string that is not UTF-8', '02 c3 28 00'],
    ['an overlong form', '02 c0 80 00'],
    ['an encoded surrogate', '02 ed a0 80 00'],
    ['the wildcard', '02 2a 00'],
    ['a number cut short', '21 80 00'],
    ['NaN', '21 ff f8 00 00 00 00 00 00'],
    ['a negative NaN', '21 00 07 ff ff ff ff ff ff'],
    ['-0', '21 7f ff ff ff ff ff ff ff'],
    ['an integer cut short', '16 01'],
    ['an integer with a leading zero', '16 00 01'],
    ['a negative integer with a leading zero', '12 ff fe'],
    ['a long integer without a width', '1d'],
    ['a long integer cut short', '1d 09 01'],
    ['a long integer that fits in 8 bytes', '1d 08 0102030405060708'],
    ['a long integer of width 0', '1d 00'],
    ['a long integer with a leading zero', '1d 09 00 0102030405060708'],
    ['a negative long integer that fits in 8 bytes', '0b f7 fefefefefefefefe'],
  ])('%s', (_, text) => {
    expect(() => decodeKey(bytes(text))).toThrow(CorruptKeyError)
  })

  test.each([5, 5n, 2.5, 'text', null])('%s, instead of one, is not a key', (stored) => {
    expect(() => decodeKey(stored as never)).toThrow(CorruptKeyError)
  })
})

test('decodeKey returns byte strings that own their memory', () => {
  const encoded = encodeKey([bytes('0a0b')])
  const [part] = decodeKey(encoded)
  encoded.fill(0)
  expect(part).toEqual(bytes('0a0b'))
  expect(Object.getPrototypeOf(part)).toBe(Uint8Array.prototype)
})
