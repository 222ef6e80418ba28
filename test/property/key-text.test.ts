import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CorruptKeyError } from '../../src/contract/errors.ts'
import { decodeKey, encodeKey } from '../../src/key/codec.ts'
import { decodeKeyText } from '../../src/key/decode-text.ts'
import { anyCharacter } from '../any-character.ts'

const part = fc.oneof(
  fc.string({ unit: anyCharacter }).filter((text) => text !== '*'),
  fc.string({ unit: fc.constantFrom('\0', '\x01', '\x02', '\u{fffd}', '\u{ff}', 'a', '😀') }),
  fc.bigInt(),
  fc.double({ noNaN: true }),
  fc.boolean(),
  fc.uint8Array(),
)

test('a key read from its text equals the key of the bytes, or is not read', () => {
  fc.assert(
    fc.property(fc.array(part, { minLength: 1 }), (parts) => {
      const bytes = encodeKey(parts)
      const decoded = decodeKeyText(bytes.toString('utf8'))
      if (decoded !== null) expect(decoded).toEqual(decodeKey(bytes))
    }),
  )
})

test('a key of strings can be read from its text, unless it contains NUL or U+FFFD', () => {
  const text = fc.string({ unit: 'grapheme' }).filter((it) => it !== '*' && !/[\0\u{fffd}]/u.test(it))
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), (parts) => {
      expect(decodeKeyText(encodeKey(parts).toString('utf8'))).toEqual(parts)
    }),
  )
})

test("the part '*', which no key has, is refused in text as in bytes", () => {
  for (const text of ['\u0002*\0', '\u0002users\0\u0002*\0', '\u0002*\0\u0002users\0']) {
    expect(() => decodeKey(Buffer.from(text))).toThrow(CorruptKeyError)
    expect(() => decodeKeyText(text)).toThrow(CorruptKeyError)
  }
  expect(decodeKeyText('\u0002**\0')).toEqual(['**'])
})
