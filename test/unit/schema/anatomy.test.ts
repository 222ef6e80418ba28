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
import { changedOutput, judgeOutput, patchedOutput, validate } from '../../../src/schema/validate.ts'

const key = ['rows', 'a']
const define = (schema: StandardSchemaV1) => defineSchema(['rows', '*'], schema)
const judge = async (schema: StandardSchemaV1, output: unknown) => judgeOutput(define(schema), key, output)
const change = async (schema: StandardSchemaV1, stored: unknown, output: unknown) =>
  changedOutput(define(schema), key, () => stored, output)
const patch = async (schema: StandardSchemaV1, stored: object, given: object) =>
  patchedOutput(define(schema), key, stored, given)
const refusal = expect.objectContaining({ code: 'VALIDATION' })
const toNumber = z.string().transform(Number)
const identity = { decode: (text: string) => text, encode: (text: string) => text }

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

  it('is known for functions that only call one method of a text', () => {
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
    expect(await patch(union, stored, { type: 'b', m: 'x' })).toStrictEqual({ type: 'b', m: 'x' })
    await expect(patch(union, stored, { type: 'b' })).rejects.toEqual(refusal)
    await expect(patch(union, stored, { note: 5 })).rejects.toEqual(refusal)
    await expect(change(union, stored, { ...stored, n: 6 })).rejects.toThrow('pass the input')
    expect(await change(union, stored, { type: 'b', m: 'x' })).toStrictEqual({ type: 'b', m: 'x' })
  })
})

describe('a patch into another option of a union', () => {
  const kind = { a: z.literal('a'), b: z.literal('b') }
  const a = { k: kind.a, x: z.number(), both: z.string() }
  const b = { k: kind.b, y: z.string(), both: z.string() }
  const stored = { k: 'a', x: 1, both: 's' }
  const into = { k: 'b', y: 'q' }

  it.each<[string, StandardSchemaV1]>([
    ['plain', z.discriminatedUnion('k', [z.object(a), z.object(b)])],
    ['strict', z.discriminatedUnion('k', [z.strictObject(a), z.strictObject(b)])],
    ['loose', z.union([z.looseObject(a), z.looseObject(b)])],
    ['of one type', z.union([z.object(a).catchall(z.number()), z.object(b).catchall(z.number())])],
    ['refined', z.union([z.object(a), z.object(b).refine((value) => !('x' in value))])],
    ['nested', z.union([z.union([z.strictObject(a), z.never()]), z.lazy(() => z.strictObject(b))])],
    ['default', z.union([z.strictObject(a), z.strictObject(b)]).default({ k: 'a', x: 1, both: '' })],
    [
      'parts',
      z.union([
        z.object(a),
        z.intersection(z.object({ k: kind.b, y: z.string() }), z.object({ both: b.both })),
      ]),
    ],
    [
      'Valibot, strict',
      v.variant('k', [
        v.strictObject({ k: v.literal('a'), x: v.number(), both: v.string() }),
        v.strictObject({ k: v.literal('b'), y: v.string(), both: v.string() }),
      ]),
    ],
    [
      'ArkType',
      type({ k: "'a'", x: 'number', both: 'string' }).or({ k: "'b'", y: 'string', both: 'string' }),
    ],
    [
      'ArkType, strict',
      type({ k: "'a'", x: 'number', both: 'string', '+': 'reject' }).or({
        k: "'b'",
        y: 'string',
        both: 'string',
        '+': 'reject',
      }),
    ],
  ])('leaves the fields of the old one behind: %s', async (_, union) => {
    expect(await patch(union, stored, into)).toStrictEqual({ k: 'b', y: 'q', both: 's' })
    expect(await patch(union, stored, { x: 2 })).toStrictEqual({ ...stored, x: 2 })
    await expect(patch(union, stored, { k: 'b' })).rejects.toEqual(refusal)
  })

  it('keeps what a loose option accepted that no option names, and what an older release has left', async () => {
    const loose = z.union([z.looseObject(a), z.looseObject(b)])
    expect(await patch(loose, { ...stored, more: 1 }, into)).toStrictEqual({ ...into, both: 's', more: 1 })
    const plain = z.discriminatedUnion('k', [z.object(a), z.object(b)])
    expect(await patch(plain, { ...stored, more: 1 }, { x: 2 })).toStrictEqual({ ...stored, x: 2, more: 1 })
  })
})

describe('names that could change a prototype', () => {
  const n = z.number()
  it.each<[string, StandardSchemaV1]>([
    ['Zod, plain', z.object({ n })],
    ['Zod, loose', z.looseObject({ n })],
    ['Zod, catchall', z.object({ n }).catchall(z.any())],
    ['Zod, strict', z.strictObject({ n })],
    ['Zod, record', z.record(z.string(), z.any())],
    ['Valibot, plain', v.object({ n: v.number() })],
    ['Valibot, loose', v.looseObject({ n: v.number() })],
    ['Valibot, rest', v.objectWithRest({ n: v.number() }, v.any())],
    ['Valibot, record', v.record(v.string(), v.any())],
    ['ArkType', type({ n: 'number' })],
    ['ArkType, record', type({ '[string]': 'unknown' })],
  ])('are accepted by a patch and a function if set accepts them: %s', async (_, schema) => {
    for (const name of ['__proto__', 'prototype', 'constructor']) {
      const given = JSON.parse(`{ "${name}": { "admin": true } }`) as object
      const outcome = (value: unknown) =>
        Promise.resolve(value).then(
          (output) => Object.entries(output as object).sort(),
          () => 'refused',
        )
      const set = await outcome((async () => validate(define(schema), key, { n: 1, ...given }))())
      expect(await outcome(patch(schema, { n: 1 }, given))).toEqual(set)
      expect(await outcome(change(schema, { n: 1 }, { n: 1, ...given }))).toEqual(set)
    }
  })

  it('are left out of an object beside a transform, in what a function gives', async () => {
    const schema = z.looseObject({ n: toNumber, record: z.record(z.string(), z.union([toNumber, z.any()])) })
    const given = JSON.parse('{ "n": 1, "__proto__": { "admin": true }, "record": { "__proto__": {} } }')
    expect(await change(schema, { n: 1, record: {} }, given)).toStrictEqual({ n: 1, record: {} })
  })
})

describe('undefined in a patch', () => {
  it.each<[string, StandardSchemaV1]>([
    ['Zod', z.object({ name: z.string(), role: z.string().default('user'), note: z.string().optional() })],
    ['Zod, loose', z.looseObject({ name: z.string(), role: z.string().default('user') })],
    ['Zod, record', z.record(z.string(), z.string().optional())],
    [
      'Valibot',
      v.object({ name: v.string(), role: v.optional(v.string(), 'user'), note: v.optional(v.string()) }),
    ],
    ['ArkType', type({ name: 'string', role: "string = 'user'", 'note?': 'string' })],
  ])('leaves the field as it is stored: %s', async (_, schema) => {
    const stored = { name: 'A', role: 'admin', note: 'n' }
    expect(await patch(schema, stored, { name: 'B', role: undefined, note: undefined })).toStrictEqual({
      ...stored,
      name: 'B',
    })
    expect(
      await patch(schema, { name: 'A', role: 'admin' }, { other: undefined, note: undefined }),
    ).toStrictEqual({
      name: 'A',
      role: 'admin',
    })
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
      'more: is not a field of the schema',
    )
    expect(await patch(z.object({ price }).catchall(z.string().trim()), stored, given)).toStrictEqual({
      ...stored,
      more: 'x',
    })
    await expect(judge(z.strictObject({ price }), stored)).rejects.toThrow(
      'old: is not a field of the schema',
    )
    expect(await change(z.strictObject({ price }), stored, { ...stored })).toStrictEqual(stored)
  })

  it('refuse a patch where they are transformed as a whole', async () => {
    const whole = z.object({ a: z.string() }).transform(({ a }) => ({ a, upper: a.toUpperCase() }))
    await expect(patch(whole, { a: 'x', upper: 'X' }, { a: 'y' })).rejects.toThrow(
      'transformed by the schema as a whole',
    )
    const stored = { a: 'x', upper: 'X' }
    expect(await change(whole, stored, { ...stored })).toStrictEqual(stored)
    await expect(change(whole, stored, { ...stored, a: 'y' })).rejects.toThrow('pass the input')
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
      await expect(patch(schema, { price: 100, note: 'x' }, { note: null })).rejects.toEqual(refusal)
    }
  })
})

describe('a field that may be missing, but not undefined', () => {
  const note = z.exactOptional(z.string())
  const code = z.string().trim()
  it.each<[string, StandardSchemaV1]>([
    ['Zod', z.object({ note, code })],
    ['Zod, read-only', z.object({ note: note.readonly(), code }).readonly()],
    ['Zod, with a check', z.object({ note: note.refine((text) => text.length > 0), code })],
    ['Zod, with null', z.object({ note: note.nullable(), code })],
    ['Zod, one of several', z.object({ note: z.union([note, z.int()]), code })],
    ['Zod, in a lazy schema', z.object({ note: z.lazy(() => note), code })],
    ['Zod, a codec beside it', z.object({ note, code: z.codec(z.string(), z.string(), identity) })],
    [
      'Zod mini',
      mini.object({ note: mini.exactOptional(mini.string()), code: mini.string().check(mini.trim()) }),
    ],
    ['Valibot', v.object({ note: v.exactOptional(v.string()), code: v.pipe(v.string(), v.trim()) })],
    ['ArkType', type({ 'note?': 'string', code: 'string.trim' })],
  ])('%s', async (_, schema) => {
    await judge(schema, { code: 'a' })
    expect(await change(schema, { code: 'a' }, { code: 'b' })).toStrictEqual({ code: 'b' })
    expect(await change(schema, { code: 'a', note: 'n' }, { code: 'b' })).toStrictEqual({ code: 'b' })
    expect(await patch(schema, { code: 'a' }, { code: 'b' })).toStrictEqual({ code: 'b' })
    await expect(judge(schema, { code: 'a', note: undefined })).rejects.toThrow('note')
    await expect(judge(schema, { code: 'a', note: true })).rejects.toThrow('note')
  })

  it('is not asked for if a check of the program would have to run', () => {
    const note = z
      .string()
      .optional()
      .refine((text) => text!.length > 0)
    expect(() => anatomyOf(z.object({ note, code: z.string().trim() }))).not.toThrow()
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
    typeof value.a === 'string' ? { value } : { issues: [{ message: 'a is not text' }] },
  )
  const transforming = foreign((value: { price: number }) => ({
    value: { ...value, price: value.price * 100 },
  }))

  it('that changes nothing judges what is given', async () => {
    expect(await patch(predicate, { a: 'x', b: 1 }, { a: 'y' })).toStrictEqual({ a: 'y', b: 1 })
    expect(await change(predicate, { a: 'x' }, { a: 'z' })).toStrictEqual({ a: 'z' })
    await expect(patch(predicate, { a: 'x' }, { a: 5 })).rejects.toThrow('a is not text')
    await judge(predicate, { a: 5 })
  })

  it('that changes what was not given is refused', async () => {
    await expect(patch(transforming, { price: 100, b: 1 }, { b: 2 })).rejects.toThrow('does not say how')
    await expect(change(transforming, { price: 100, b: 1 }, { price: 100, b: 2 })).rejects.toThrow(
      'does not say how',
    )
    expect(await patch(transforming, { price: 100, b: 1 }, { price: 2 })).toStrictEqual({ price: 200, b: 1 })
  })
})
