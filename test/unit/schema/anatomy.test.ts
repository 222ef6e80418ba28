import type { StandardSchemaV1 } from '@standard-schema/spec'
import { scope, type } from 'arktype'
import * as v from 'valibot'
import { defineSchema } from 'valkeyrie/schema'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import * as mini from 'zod/mini'
import { isClosed, isExact } from '../../../src/schema/anatomy/anatomy.ts'
import { anatomyOf } from '../../../src/schema/anatomy/anatomy-of.ts'
import { areIdempotent, normalizerOf } from '../../../src/schema/anatomy/normalizer.ts'
import { changedOutput, judgeOutput, patchedOutput } from '../../../src/schema/validate.ts'

const key = ['rows', 'a']
const define = (schema: StandardSchemaV1) => defineSchema(['rows', '*'], schema)
const judge = async (schema: StandardSchemaV1, output: unknown) => judgeOutput(define(schema), key, output)
const change = async (schema: StandardSchemaV1, stored: unknown, output: unknown) =>
  changedOutput(define(schema), key, () => stored, output)
const patch = async (schema: StandardSchemaV1, stored: object, given: object) =>
  patchedOutput(define(schema), key, stored, given)
const refusal = expect.objectContaining({ code: 'VALIDATION' })
const toNumber = z.string().transform(Number)

describe('what a schema does', () => {
  it.each<[string, StandardSchemaV1, 'exact' | 'closed' | 'open']>([
    ['Zod, an object', z.object({ a: z.string().min(1), b: z.array(z.date()).optional() }), 'exact'],
    ['Zod, a refined object', z.object({ a: z.string() }).refine(() => true), 'exact'],
    ['Zod, a default', z.object({ a: z.string().default('x') }), 'closed'],
    ['Zod, a text brought into form', z.string().trim().toUpperCase().min(2), 'closed'],
    ['Zod, a check before that', z.string().min(2).trim(), 'open'],
    ['Zod, two forms that may differ', z.string().trim().normalize('NFKC'), 'open'],
    ['Zod, a pipe of texts', z.string().trim().pipe(z.email()), 'closed'],
    ['Zod, a transform that only trims', z.string().transform((s) => s.trim()), 'closed'],
    ['Zod, a transform', z.object({ a: z.array(toNumber) }), 'open'],
    ['Zod, a schema of another type behind', z.string().pipe(z.coerce.number()), 'open'],
    ['Zod mini, an object', mini.object({ a: mini.string().check(mini.trim()) }), 'closed'],
    [
      'Valibot, an object',
      v.object({ a: v.pipe(v.string(), v.minLength(1)), b: v.nullish(v.date()) }),
      'exact',
    ],
    ['Valibot, a default', v.object({ a: v.optional(v.string(), 'x') }), 'closed'],
    ['Valibot, a text brought into form', v.pipe(v.string(), v.trim(), v.minLength(2)), 'closed'],
    ['Valibot, a check before that', v.pipe(v.string(), v.minLength(2), v.trim()), 'open'],
    ['Valibot, a transform', v.pipe(v.string(), v.transform(Number)), 'open'],
    ['ArkType, an object', type({ a: 'string > 1', 'b?': 'Date[]' }), 'exact'],
    ['ArkType, a default', type({ a: "string = 'x'" }), 'closed'],
    ['ArkType, a text brought into form', type('string.trim'), 'closed'],
    ['ArkType, a morph', type({ a: 'string.numeric.parse[]' }), 'open'],
    [
      'a schema of another library',
      { '~standard': { version: 1, vendor: 'x', validate: (value) => ({ value }) } },
      'open',
    ],
  ])('%s', (_, schema, expected) => {
    const anatomy = anatomyOf(schema)
    expect(isExact(anatomy) ? 'exact' : isClosed(anatomy) ? 'closed' : 'open').toBe(expected)
  })

  it('is known of functions that call one method of a text', () => {
    expect(normalizerOf((s: string) => s.trim())).toBe('trim')
    expect(normalizerOf((s: string) => s.toLowerCase())).toBe('toLowerCase')
    for (const other of [(s: string) => s.trim().slice(1), (s: string) => `${s.trim()}!`, () => 'x', null]) {
      expect(normalizerOf(other)).toBeNull()
    }
    expect(areIdempotent(['trim', 'toLowerCase'])).toBe(true)
    expect(areIdempotent(['trim', 'normalize'])).toBe(false)
    expect(areIdempotent([null])).toBe(false)
  })
})

describe('schemas that are parts of themselves', () => {
  interface Tree {
    readonly weight: number
    readonly label: string
    readonly inner: readonly Tree[]
  }
  const zod = z.object({
    weight: toNumber,
    label: z.string(),
    get inner(): z.ZodType<Tree[]> {
      return z.array(zod as never)
    },
  })
  const valibot: v.GenericSchema<unknown, Tree> = v.object({
    weight: v.pipe(v.string(), v.transform(Number)),
    label: v.string(),
    inner: v.lazy(() => v.array(valibot)),
  }) as never
  const arktype = scope({
    tree: { weight: 'string.numeric.parse', label: 'string', inner: 'tree[]' },
  }).export().tree
  const stored = { weight: 1, label: 'a', inner: [{ weight: 2, label: 'b', inner: [] }] }

  it.each([
    ['Zod', zod],
    ['Valibot', valibot],
    ['ArkType', arktype],
  ] as const)('%s', async (_, schema) => {
    await judge(schema, stored)
    await expect(judge(schema, { ...stored, inner: [{ weight: 2, label: 5, inner: [] }] })).rejects.toEqual(
      refusal,
    )
    const changed = { ...stored, inner: [{ weight: 2, label: 'c', inner: [] }] }
    expect(await change(schema, stored, changed)).toStrictEqual(changed)
    await expect(
      change(schema, stored, { ...stored, inner: [{ weight: 3, label: 'b', inner: [] }] }),
    ).rejects.toEqual(refusal)
    expect(await patch(schema, stored, { label: 'z' })).toStrictEqual({ ...stored, label: 'z' })
  })
})

describe('unions', () => {
  const schema = z.discriminatedUnion('type', [
    z.object({ type: z.literal('a'), n: toNumber, note: z.string() }),
    z.object({ type: z.literal('b'), m: z.string() }),
  ])
  const valibot = v.variant('type', [
    v.object({ type: v.literal('a'), n: v.pipe(v.string(), v.transform(Number)), note: v.string() }),
    v.object({ type: v.literal('b'), m: v.string() }),
  ])
  const arktype = type({ type: "'a'", n: 'string.numeric.parse', note: 'string' }).or({
    type: "'b'",
    m: 'string',
  })
  const stored = { type: 'a', n: 5, note: '' }

  it.each([
    ['Zod', schema],
    ['Valibot', valibot],
    ['ArkType', arktype],
  ] as const)('are patched as the option that is stored, or into another: %s', async (_, union) => {
    expect(await patch(union, stored, { note: 'x' })).toStrictEqual({ ...stored, note: 'x' })
    expect(await patch(union, stored, { n: '6' })).toStrictEqual({ ...stored, n: 6 })
    expect(await patch(union, stored, { type: 'b', m: 'x' })).toMatchObject({ type: 'b', m: 'x' })
    await expect(patch(union, stored, { type: 'b' })).rejects.toEqual(refusal)
    await expect(patch(union, stored, { note: 5 })).rejects.toEqual(refusal)
    await expect(change(union, stored, { ...stored, n: 6 })).rejects.toThrow('give the input')
    expect(await change(union, stored, { type: 'b', m: 'x' })).toStrictEqual({ type: 'b', m: 'x' })
  })
})

describe('objects', () => {
  const price = z.number().transform((n) => n * 100)

  it('leave out, refuse, keep or validate other fields', async () => {
    const stored = { price: 100, old: 1 }
    const given = { more: ' x ' }
    expect(await patch(z.object({ price }), stored, given)).toStrictEqual(stored)
    expect(await patch(z.looseObject({ price }), stored, given)).toStrictEqual({ ...stored, ...given })
    await expect(patch(z.strictObject({ price }), stored, given)).rejects.toThrow(
      'more: is no field of the schema',
    )
    expect(await patch(z.object({ price }).catchall(z.string().trim()), stored, given)).toStrictEqual({
      ...stored,
      more: 'x',
    })
    await expect(judge(z.strictObject({ price }), stored)).rejects.toThrow('old: is no field of the schema')
    expect(await change(z.strictObject({ price }), stored, { ...stored })).toStrictEqual(stored)
  })

  it('refuse a patch where they are transformed as a whole', async () => {
    const whole = z.object({ a: z.string() }).transform(({ a }) => ({ a, upper: a.toUpperCase() }))
    await expect(patch(whole, { a: 'x', upper: 'X' }, { a: 'y' })).rejects.toThrow(
      'transformed by the schema as a whole',
    )
    const stored = { a: 'x', upper: 'X' }
    expect(await change(whole, stored, { ...stored })).toStrictEqual(stored)
    await expect(change(whole, stored, { ...stored, a: 'y' })).rejects.toThrow('give the input')
  })

  it('are patched through a codec of the whole', async () => {
    const celsius = z.codec(
      z.object({ f: z.number(), at: z.string() }),
      z.object({ c: z.number(), at: z.string() }),
      {
        decode: ({ f, at }) => ({ c: ((f - 32) * 5) / 9, at }),
        encode: ({ c, at }) => ({ f: (c * 9) / 5 + 32, at }),
      },
    )
    expect(await patch(celsius, { c: 100, at: 'a' }, { at: 'b' })).toStrictEqual({ c: 100, at: 'b' })
    expect(await patch(celsius, { c: 100, at: 'a' }, { f: 32 })).toStrictEqual({ c: 0, at: 'a' })
  })

  it('that are intersections are patched by the part that has the field', async () => {
    const both = z.object({ price }).and(z.object({ note: z.string().trim() }))
    const stored = { price: 100, note: 'a' }
    expect(await patch(both, stored, { note: ' b ' })).toStrictEqual({ price: 100, note: 'b' })
    expect(await patch(both, stored, { price: 3 })).toStrictEqual({ price: 300, note: 'a' })
    await judge(both, stored)
    expect(await change(both, stored, { price: 100, note: ' c ' })).toStrictEqual({ price: 100, note: 'c' })
  })

  it('with exact optional fields and defaults of Valibot and ArkType', async () => {
    const valibot = v.object({
      price: v.pipe(
        v.number(),
        v.transform((n) => n * 100),
      ),
      note: v.exactOptional(v.string(), 'd'),
      more: v.exactOptional(v.string()),
    })
    const arktype = type({
      price: type('number').pipe((n) => n * 100),
      note: "string = 'd'",
      'more?': 'string',
    })
    for (const schema of [valibot, arktype]) {
      await judge(schema, { price: 100, note: 'x' })
      await expect(judge(schema, { price: 100 })).rejects.toThrow('note: is missing')
      expect(await change(schema, { price: 100, note: 'x' }, { price: 100 })).toStrictEqual({
        price: 100,
        note: 'd',
      })
      await expect(patch(schema, { price: 100, note: 'x' }, { note: undefined })).rejects.toEqual(refusal)
    }
  })
})

describe('refinements', () => {
  const schemas = [
    ['Zod', z.object({ a: toNumber, b: z.number() }).refine(({ a, b }) => a < b, 'a is too large')],
    [
      'Zod mini',
      mini
        .object({ a: mini.pipe(mini.string(), mini.transform(Number)), b: mini.number() })
        .check(mini.refine(({ a, b }) => a < b, 'a is too large')),
    ],
    [
      'Zod, later',
      z.object({ a: toNumber, b: z.number() }).refine(async ({ a, b }) => a < b, 'a is too large'),
    ],
    [
      'Valibot',
      v.pipe(
        v.object({ a: v.pipe(v.string(), v.transform(Number)), b: v.number() }),
        v.check(({ a, b }) => a < b, 'a is too large'),
      ),
    ],
    [
      'Valibot, later',
      v.pipeAsync(
        v.object({ a: v.pipe(v.string(), v.transform(Number)), b: v.number() }),
        v.checkAsync(async ({ a, b }) => a < b, 'a is too large'),
      ),
    ],
    [
      'ArkType',
      type({ a: 'string.numeric.parse', b: 'number' }).narrow(
        ({ a, b }, ctx) => a < b || ctx.reject('a is too large'),
      ),
    ],
  ] as const

  it.each(schemas)('of the whole see the output: %s', async (_, schema) => {
    const stored = { a: 1, b: 2 }
    await judge(schema, stored)
    expect(await patch(schema, stored, { a: '0' })).toStrictEqual({ a: 0, b: 2 })
    expect(await change(schema, stored, { a: 1, b: 3 })).toStrictEqual({ a: 1, b: 3 })
    for (const refused of [
      judge(schema, { a: 3, b: 2 }),
      patch(schema, stored, { a: '3' }),
      change(schema, stored, { a: 1, b: 0 }),
    ]) {
      await expect(refused).rejects.toThrow('a is too large')
    }
  })

  it('that throw are ValidationErrors with a cause', async () => {
    const failure = new Error('no network')
    const schema = z.object({ a: toNumber }).refine(() => {
      throw failure
    })
    for (const call of [
      judge(schema, { a: 1 }),
      patch(schema, { a: 1 }, { a: '2' }),
      change(schema, { a: 1 }, { a: 1 }),
    ]) {
      await expect(call).rejects.toMatchObject({ code: 'VALIDATION', key, cause: failure })
    }
  })
})

describe('a schema of another library', () => {
  const foreign = (validate: (value: never) => StandardSchemaV1.Result<unknown>): StandardSchemaV1 => ({
    '~standard': { version: 1, vendor: 'other', validate: validate as never },
  })
  const predicate = foreign((value: { a?: unknown }) =>
    typeof value.a === 'string' ? { value } : { issues: [{ message: 'a is no text' }] },
  )
  const transforming = foreign((value: { price: number }) => ({
    value: { ...value, price: value.price * 100 },
  }))

  it('that changes nothing judges what is given', async () => {
    expect(await patch(predicate, { a: 'x', b: 1 }, { a: 'y' })).toStrictEqual({ a: 'y', b: 1 })
    expect(await change(predicate, { a: 'x' }, { a: 'z' })).toStrictEqual({ a: 'z' })
    await expect(patch(predicate, { a: 'x' }, { a: 5 })).rejects.toThrow('a is no text')
    await judge(predicate, { a: 5 })
  })

  it('that changes what was not given is refused', async () => {
    await expect(patch(transforming, { price: 100, b: 1 }, { b: 2 })).rejects.toThrow('does not tell how')
    await expect(change(transforming, { price: 100, b: 1 }, { price: 100, b: 2 })).rejects.toThrow(
      'does not tell how',
    )
    expect(await patch(transforming, { price: 100, b: 1 }, { price: 2 })).toStrictEqual({ price: 200, b: 1 })
  })
})
