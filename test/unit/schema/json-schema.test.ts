import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Fields } from '../../../src/schema/fields.ts'
import { jsonSchemaOf } from '../../../src/schema/json-schema.ts'

const $schema = 'https://json-schema.org/draft/2020-12/schema'

describe('jsonSchemaOf', () => {
  it('describes what a Zod schema outputs', () => {
    const schema = z.object({
      at: z.date(),
      big: z.bigint().optional(),
      age: z.string().transform(Number).pipe(z.int()),
      computed: z.string().transform((text) => text.length),
      tags: z.map(z.string(), z.number()),
    })
    expect(jsonSchemaOf(schema)).toEqual({
      $schema,
      type: 'object',
      properties: {
        at: { type: 'string', format: 'date-time' },
        big: { type: 'integer', format: 'bigint' },
        age: expect.objectContaining({ type: 'integer' }),
        computed: {},
        tags: {},
      },
      required: ['at', 'age', 'computed', 'tags'],
      additionalProperties: false,
    })
  })

  it('describes what an ArkType schema outputs', () => {
    const schema = type({
      at: 'Date',
      'big?': 'bigint',
      age: 'string.numeric.parse',
      tags: type.instanceOf(Map),
    })
    expect(jsonSchemaOf(schema)).toMatchObject({
      $schema,
      properties: { at: { type: 'string', format: 'date-time' }, big: { type: 'integer', format: 'bigint' } },
    })
  })

  it.each([
    ['Zod', z.object({ n: z.literal(5n) }), z.object({ n: z.literal(['x', 1n, 2n]) })],
    ['ArkType', type({ n: '5n' }), type({ n: "'x' | 1n | 2n" })],
  ] as const)('tells literals that are bigints from numbers, in %s', (_, one, several) => {
    const five = { type: 'integer', format: 'bigint', bigints: ['5'] }
    expect(jsonSchemaOf(one)?.['properties']).toEqual({ n: five })
    const fields = new Fields(jsonSchemaOf(several))
    expect(new Fields(jsonSchemaOf(one)).at(['n'])?.types).toMatchObject({ bigint: true, number: false })
    expect(fields.at(['n'])?.types).toMatchObject({ bigint: true, string: true, number: false })
  })

  it('is null where the library does not tell', () => {
    expect(jsonSchemaOf(v.object({ name: v.string() }))).toBeNull()
  })

  it('is null where the library fails', () => {
    const jsonSchema = {
      input: () => ({}),
      output: () => {
        throw new Error('not representable')
      },
    }
    const standard = {
      version: 1,
      vendor: 'test',
      validate: (value: unknown) => ({ value }),
      jsonSchema,
    } as const
    expect(jsonSchemaOf({ '~standard': standard })).toBeNull()
  })

  it('gives the same text each time, computed defaults or not', () => {
    let calls = 0
    const schema = z.object({
      id: z.number().default(() => calls++),
      caught: z.number().catch(() => calls++),
      big: z.bigint().default(0n),
      at: z.date().default(() => new Date(calls++)),
    })
    const text = JSON.stringify(jsonSchemaOf(schema))
    expect(text).toContain('"bigint"')
    expect(JSON.stringify(jsonSchemaOf(schema))).toBe(text)
  })

  it('describes a type that contains itself', () => {
    const node = z.object({
      value: z.string(),
      get children() {
        return z.array(node)
      },
    })
    expect(jsonSchemaOf(node)).toMatchObject({ properties: { children: { type: 'array' } } })
  })
})
