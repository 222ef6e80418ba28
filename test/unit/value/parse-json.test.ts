import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson } from '../../../src/value/parse-json.ts'

describe('parseJson', () => {
  it('returns the names in the text, whatever was parsed before', () => {
    const name = fc
      .array(fc.constantFrom('\\', '\n', '"', '\0', '\ud800', 'a', 'u', '0', '#', ':', '__proto__'), {
        maxLength: 3,
      })
      .map((parts) => parts.join(''))
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { maxDepth: 4 },
        name,
        fc.constantFrom(0, true, null),
        fc.array(tie('json'), { maxLength: 3 }),
        fc.dictionary(name, tie('json'), { maxKeys: 3, noNullPrototype: true }),
      ),
    }))
    fc.assert(
      fc.property(fc.array(json, { minLength: 1, maxLength: 3 }), (values) => {
        for (const value of values) {
          for (const text of [JSON.stringify(value), JSON.stringify(value, null, 1)]) {
            expect(parseJson(text)).toEqual(value)
            expect(names(parseJson(text))).toEqual(names(value))
          }
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('refuses anything but JSON', () => {
    for (const text of ['{"\\n":}', '{"\\x":1}', '{"\\n" 1}', '{"a\nb\\n":1}', '{"\\n":1}}'])
      expect(() => parseJson(text)).toThrow(SyntaxError)
  })

  it('reads long texts beside names with escapes, plain or full of escapes', () => {
    for (const text of ['x'.repeat(12e6), '\\'.repeat(8e6), '"'.repeat(8e6), '\n'.repeat(8e6)])
      expect(parseJson(JSON.stringify({ 'say "hi"': text, '"': [text] }))).toEqual({
        'say "hi"': text,
        '"': [text],
      })
  })

  // In a time that grows with the square of their length, these would take hours.
  it.each([
    ['an open string', '"'],
    ['an open string with a colon', '":'],
    ['many strings', '",":'],
  ])('refuses a long text that is not JSON at once: %s', (_, end) => {
    expect(() => parseJson(`{"\\n":1,"a":"${'\\"'.repeat(4e6)}${end}`)).toThrow(SyntaxError)
    expect(() => parseJson(`{"\\n":1,"a":"${'\\\\"'.repeat(4e6)}${end}`)).toThrow(SyntaxError)
    expect(() => parseJson(`{"\\n" ${' '.repeat(4e6)}${end}`)).toThrow(SyntaxError)
  })
})

/** The names in a value, in their order. */
function names(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return null
  return Object.entries(value).map(([name, inner]) => [name, names(inner)])
}
