import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type } from 'arktype'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { jsonSchemaOf } from '../../src/schema/json-schema.ts'
import { knownSchema } from '../../src/schema/known-schema.ts'

const none = fc.constant(undefined)
const letters = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'B', '\n', '<', '>', '😀', '-'), maxLength: 4 }),
  fc.constantFrom('ABC', '<a\nb>', 'a\nB', '😀', 'B', 'B<'),
)
const number = fc.constantFrom(0, 1, 2.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)
const spaced = fc.string({ unit: fc.constantFrom('a', ' '), maxLength: 5 })
const address = fc.oneof(
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.constantFrom('http://münchen.de/straße', 'mailto:a@b', 'http://é.x/ a', 'no address'),
)

/** Schemas that accept values for which JSON Schema has no words, and inputs, of which they refuse some. */
const cases: Record<string, readonly [StandardSchemaV1, fc.Arbitrary<unknown>]> = {
  'Zod: flag i': [z.string().regex(/^[a-z-]+$/i), letters],
  'Zod: flag s': [z.string().regex(/^<.*>$/s), letters],
  'Zod: flag m': [z.string().regex(/^B$/m), letters],
  'Zod: flag u': [z.string().regex(/^.$/u), letters],
  'Zod: flag v': [z.string().regex(/^[\p{L}--[a-z]]$/v), letters],
  'Zod: flags g and y': [z.string().regex(/a/gy), letters],
  'Zod: several patterns': [z.string().regex(/b/i).regex(/^..$/s).regex(/a|</), letters],
  'Zod: no flag': [z.string().regex(/^..$/), letters],
  'Zod: names of a record': [
    z.record(z.string().regex(/^b$/i), z.int()),
    fc.dictionary(letters, fc.integer()),
  ],
  'Zod: url': [z.url(), address],
  'Zod: any': [z.any(), fc.anything({ withBigInt: true, withDate: true })],
  'Zod: unknown': [z.unknown(), none],
  'Zod: undefined': [z.undefined(), none],
  'Zod: union with undefined': [z.union([z.string(), z.undefined()]), fc.option(letters, { nil: undefined })],
  'Zod: undefined within': [z.lazy(() => z.union([z.int(), z.union([z.void(), z.null()])])), none],
  'Zod: all of any': [z.intersection(z.any(), z.any()), none],
  'Zod: optional items': [
    z.array(z.string().optional()),
    fc.array(fc.option(fc.oneof(letters, number), { nil: undefined })),
  ],
  'Zod: optional items of a tuple': [
    z.tuple([z.string(), z.int().optional(), z.string().nullable().optional()]),
    fc.array(fc.option(fc.oneof(letters, fc.integer()), { nil: undefined })),
  ],
  'Zod: literal that is not finite': [z.union([z.int(), z.literal(Number.POSITIVE_INFINITY)]), number],
  'Zod: literal NaN': [z.literal(Number.NaN), number],
  'Zod: literals of several types': [
    z.literal(['a', Number.NEGATIVE_INFINITY, undefined, 1n]),
    fc.oneof(letters, number, none, fc.constant(1n)),
  ],
  'Zod: literals of one type': [z.literal([1, Number.NaN, Number.POSITIVE_INFINITY]), number],
  'Zod: literal undefined': [z.literal([1, undefined]), fc.oneof(number, none)],
  'Zod: a transform that gives undefined': [z.string().transform((text) => text[1]), letters],
  'Zod: checks before trim': [z.string().min(3).regex(/^ /).trim(), spaced],
  'Zod: checks before and after trim': [z.string().min(3).trim().min(1).max(2), spaced],
  'Zod: a format before it is lost': [z.cuid2().toUpperCase(), fc.constant('tz4a98xxat96iws9zmbrgj3a')],
  'Zod: a format that is kept': [z.email().min(5).toLowerCase(), fc.constantFrom('A@B.de', 'a@b')],
  'Zod: checks before an overwrite': [
    z
      .int()
      .max(5)
      .overwrite((n) => n / 2 + 9),
    fc.integer(),
  ],
  'ArkType: flag i': [type(/^[a-z-]+$/i), letters],
  'ArkType: flag s': [type(/^<.*>$/s), letters],
  'ArkType: no flag': [type(/^..$/), letters],
  'ArkType: url': [type('string.url'), address],
  'ArkType: undefined': [type('string | undefined'), fc.option(letters, { nil: undefined })],
  'ArkType: units': [
    type.enumerated('a', Number.POSITIVE_INFINITY, Number.NaN, 2.5),
    fc.oneof(letters, number),
  ],
  'ArkType: unit': [type.unit(Number.POSITIVE_INFINITY), number],
}

describe.each(Object.entries(cases))('%s', (name, [schema, input]) => {
  const placed = name.startsWith('Zod')
    ? z.object({ it: schema as z.ZodType, list: z.array(schema as z.ZodType) })
    : type({ it: schema as type, list: (schema as type).array() })

  it.each([
    ['alone', schema, input],
    ['in a field and a list', placed, fc.record({ it: input, list: fc.array(input, { maxLength: 1 }) })],
  ])('the kept JSON Schema accepts whatever the schema gives out, %s', (_, schema, input) => {
    const known = knownSchema(JSON.parse(JSON.stringify(jsonSchemaOf(schema))))
    let given = 0
    fc.assert(
      fc.property(input, (input) => {
        const result = schema['~standard'].validate(input) as StandardSchemaV1.Result<unknown>
        if (result.issues) return
        given++
        expect(known['~standard'].validate(result.value)).toEqual({ value: result.value })
      }),
      { numRuns: 300 },
    )
    expect(given).toBeGreaterThan(0)
  })
})

describe('the kept JSON Schema still refuses', () => {
  it.each<[string, StandardSchemaV1, unknown, string]>([
    [
      'a text that does not match with its flags',
      z.object({ a: z.string().regex(/^a.$/i) }),
      { a: 'A\n' },
      'must match the pattern ^a.$',
    ],
    [
      'a text that does not match',
      z.object({ a: z.string().regex(/^[a-z]+$/) }),
      { a: '😀' },
      'must match the pattern ^[a-z]+$',
    ],
    ['an address that is none', z.object({ a: z.url() }), { a: 'none' }, 'must be a valid uri'],
    [
      'another constant',
      z.object({ a: z.literal(Number.POSITIVE_INFINITY) }),
      { a: 'x' },
      'must be a number',
    ],
    ['another number', z.object({ a: z.literal([1, undefined]) }), { a: 2 }, 'must be 1'],
    ['a missing field', z.object({ a: z.string() }), {}, 'is missing'],
    ['a field that is undefined', z.object({ a: z.string() }), { a: undefined }, 'is missing'],
    [
      'an item that is undefined',
      z.object({ a: z.array(z.string()) }),
      { a: [undefined] },
      'must be a string',
    ],
    [
      'a wrong item among optional ones',
      z.object({ a: z.array(z.string().optional()) }),
      { a: [1] },
      'must be a string',
    ],
    [
      'a text that a check after trim refuses',
      z.object({ a: z.string().trim().min(2) }),
      { a: 'a' },
      'must have at least 2 characters',
    ],
    [
      'a format that trim and lower case keep',
      z.object({ a: z.email().trim().toLowerCase() }),
      { a: 'a' },
      'must be a valid email',
    ],
    [
      'a name that does not match',
      z.object({ a: z.record(z.string().regex(/^b$/i), z.int()) }),
      { a: { c: 1 } },
      'must match the pattern ^b$',
    ],
  ])('%s', (_, schema, value, message) => {
    const known = knownSchema(JSON.parse(JSON.stringify(jsonSchemaOf(schema))))
    const { issues } = known['~standard'].validate(value) as StandardSchemaV1.FailureResult
    expect(issues.map(({ message }) => message)).toContain(message)
  })
})

it('a JSON Schema that an earlier release kept accepts a number that JSON has written as null', () => {
  const known = knownSchema({ type: 'number', const: null })
  expect(known['~standard'].validate(Number.POSITIVE_INFINITY)).toEqual({ value: Number.POSITIVE_INFINITY })
  expect(known['~standard'].validate('text')).toHaveProperty('issues')
})
