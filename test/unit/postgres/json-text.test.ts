import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  behindAllTexts,
  escapeJson,
  escapeText,
  isEscaped,
  unescapeJson,
  unescapeText,
} from '../../../src/driver/postgres/values/json-text.ts'
import { compareText } from '../../../src/query/text-order.ts'
import { anyCharacter } from '../../any-character.ts'

const odd = fc.constantFrom(
  '\0',
  '\u0001',
  '\u0002',
  '\u0003',
  '\u0004',
  '\u001f',
  '\ud7fe',
  '\ud7ff',
  '\ud800',
  '\ud801',
  '\udbff',
  '\udc00',
  '\udfff',
  '\ue000',
  '\u{10fffd}',
  '\u{10fffe}',
  '\u{10ffff}',
  '\\',
  '"',
  'u0001',
  'u0002',
  '\n',
  'a',
  'é',
  '😀',
)
const text = fc.oneof(
  fc.array(odd, { maxLength: 5 }).map((parts) => parts.join('')),
  fc.string({ unit: anyCharacter, maxLength: 5 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 5 })
    .map((units) => String.fromCharCode(...units)),
)
const wellFormed = text.filter((one) => one.isWellFormed())

describe('the texts that PostgreSQL keeps', () => {
  it('are the texts of JavaScript, one for one', () => {
    fc.assert(
      fc.property(text, (one) => {
        expect(unescapeText(escapeText(one))).toBe(one)
      }),
    )
  })

  it('are well formed and have no NUL', () => {
    fc.assert(
      fc.property(text, (one) => {
        const kept = escapeText(one)
        expect(kept.isWellFormed()).toBe(true)
        expect(kept.includes('\0')).toBe(false)
        expect(isEscaped(one)).toBe(kept !== one)
      }),
    )
  })

  it('have the order of those of JavaScript by their UTF-8 bytes, and end before U+10FFFF', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const order = Math.sign(Buffer.compare(Buffer.from(escapeText(a)), Buffer.from(escapeText(b))))
        expect(order).toBe(Math.sign(compareText(a, b)))
        expect(Buffer.compare(Buffer.from(escapeText(a)), Buffer.from(behindAllTexts))).toBe(-1)
      }),
    )
  })

  it('contain, begin with or end with a text exactly when JavaScript says so', () => {
    const pair = fc.oneof(
      fc.tuple(text, wellFormed),
      fc.tuple(text, wellFormed, text).map(([a, b, c]) => [a + b + c, b] as const),
    )
    fc.assert(
      fc.property(pair, ([all, part]) => {
        const [kept, wanted] = [escapeText(all), escapeText(part)]
        expect(kept.includes(wanted)).toBe(all.includes(part))
        expect(kept.startsWith(wanted)).toBe(all.startsWith(part))
        expect(kept.endsWith(wanted)).toBe(all.endsWith(part))
      }),
    )
  })
})

describe('the JSON that PostgreSQL keeps', () => {
  const json = fc.oneof(text, fc.jsonValue(), fc.dictionary(text, fc.oneof(text, fc.array(text))))

  it('is the JSON that was given, one for one', () => {
    fc.assert(
      fc.property(json, (value) => {
        const given = JSON.stringify(value)
        expect(unescapeJson(escapeJson(given))).toBe(given)
      }),
    )
  })

  it('has the texts that are kept, and names like these', () => {
    fc.assert(
      fc.property(text, text, (name, one) => {
        const kept = escapeJson(JSON.stringify([name, { inner: one }]))
        expect(JSON.parse(kept)).toEqual([escapeText(name), { inner: escapeText(one) }])
      }),
    )
  })

  it('has the order of the JSON that was given', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const [one, other] = [JSON.stringify([a]), JSON.stringify([b])]
        const kept = Buffer.compare(Buffer.from(escapeJson(one)), Buffer.from(escapeJson(other)))
        expect(Math.sign(kept)).toBe(Math.sign(compareText(one, other)))
      }),
    )
  })

  it('is read correctly if another program has written its escapes', () => {
    const written = String.raw`"\uD83D\uDE00 \uD800 \uD7FF \u0000 \\u0000 \u0041"`
    expect(JSON.parse(unescapeJson(escapeJson(written)))).toBe(JSON.parse(written))
    expect(JSON.parse(escapeJson(written))).toBe(escapeText(JSON.parse(written) as string))
  })

  it('is the given text itself if nothing must be escaped', () => {
    const given = '{"a":"b","c":"\\u001f😀\\\\u0000"}'
    expect(escapeJson('{"a":"b","c":1}')).toBe('{"a":"b","c":1}')
    expect(unescapeJson(given)).toBe(given)
  })
})
