import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Fields } from '../../../src/schema/fields.ts'
import { jsonSchemaOf } from '../../../src/schema/json-schema.ts'
import { knownSchema } from '../../../src/schema/known-schema.ts'

const $schema = 'https://json-schema.org/draft/2020-12/schema'

describe('jsonSchemaOf', () => {
  it('has the names of fields as they are, whatever escapes JSON writes them with', () => {
    const names = ['"', '\\', '\n', '\0', '\ud83d', '\uffff', '\uffff10', '__proto__']
    const withName = (name: string) => z.object({ first: z.null(), [name]: z.null() })
    const node = z.object({
      '\n': z.null(),
      get '\\'() {
        return node.optional()
      },
    })
    const schema = z.object({
      ...Object.fromEntries(names.map((name, i) => [i, withName(name)])),
      titled: withName('\n').meta({ title: 'x' }).optional(),
      node,
    })
    const { properties } = jsonSchemaOf(schema) as { properties: Record<string, { properties: object }> }
    const namesIn = (of: string) => Object.keys(properties[of]!.properties)
    for (const [i, name] of names.entries()) expect(namesIn(`${i}`)).toEqual(['first', name])
    expect(namesIn('titled')).toEqual(['first', '\n'])
    expect(JSON.stringify(jsonSchemaOf(node))).toContain(
      '"properties":{"\\n":{"type":"null"},"\\\\":{"$ref":"#"}}',
    )
  })

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

  it('is null if the library does not say', () => {
    expect(jsonSchemaOf(v.object({ name: v.string() }))).toBeNull()
  })

  it('is null if the library fails', () => {
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

it('says in plain English what a stored schema refuses, and never what the value is', async () => {
  const schema = z.strictObject({
    name: z.string().min(3),
    age: z.int().max(150),
    role: z.enum(['admin', 'guest']),
    email: z.email(),
    code: z.string().regex(/^q/),
    tags: z.array(z.string()).max(1),
    either: z.union([z.string(), z.number()]),
    price: z.number().gt(3),
    seven: z.literal(7),
    born: z.date(),
    gone: z.string(),
    form: z.object({ a: z.string() }),
  })
  const known = knownSchema(jsonSchemaOf(schema)!)
  const secret = 'sesame'
  const value = {
    name: 's',
    age: 1.5,
    role: secret,
    email: secret,
    code: secret,
    tags: [secret, 7],
    either: true,
    price: 1,
    seven: secret,
    born: secret,
    form: new Map(),
    more: secret,
  }
  const { issues } = (await known['~standard'].validate(value)) as StandardSchemaV1.FailureResult
  const told = issues.map(({ path, message }) => `${path?.join('.')}: ${message}`)
  expect(told.sort()).toEqual([
    'age: must be a whole number',
    'born: must be a Date',
    'code: must match the pattern ^q',
    'either: must be a string or a number',
    'email: must be a valid email',
    'form.a: is missing',
    'form: must be a plain object',
    'gone: is missing',
    'more: is not a field of the schema',
    'name: must have at least 3 characters',
    'price: must be more than 3',
    'role: must be "admin" or "guest"',
    'seven: must be 7',
    'seven: must be a number',
    'tags.1: must be a string',
    'tags: must have at most 1 item',
  ])
  expect(told.join()).not.toContain(secret)
})
