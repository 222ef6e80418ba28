import { type } from 'arktype'
import fc from 'fast-check'
import * as v from 'valibot'
import { z } from 'zod'

/** A schema of a part, an input that it takes, and another. */
export interface Part {
  // biome-ignore lint/suspicious/noExplicitAny: the schemas of three libraries, put together at random
  readonly schema: any
  readonly input: unknown
  readonly other: unknown
}

const text = fc.string({ maxLength: 6 })
const instant = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })

const zodLeaf: fc.Arbitrary<Part> = fc.oneof(
  part(text, () => z.string()),
  part(text, () => z.string().trim().toLowerCase()),
  part(text, () => z.string().trim().normalize('NFKC')),
  part(fc.string({ minLength: 3 }), () => z.string().min(3).trim()),
  part(fc.option(text, { nil: undefined }), () => z.string().min(1).default('')),
  part(fc.option(text, { nil: undefined }), () => z.string().min(1).prefault('d')),
  part(fc.oneof(text, fc.integer()), () => z.number().min(1).catch(0)),
  part(fc.oneof(text, fc.integer()), () => z.number().catch((context) => String(context.value).length)),
  part(text, () => z.string().transform((s) => s.trim())),
  part(fc.integer(), () => z.coerce.number().int()),
  part(fc.integer({ min: -1000, max: 1000 }), () => z.number().transform((n) => n * 100)),
  part(fc.integer({ min: -1000, max: 1000 }), () => z.number().overwrite((n) => n * 100)),
  part(fc.integer({ min: 0, max: 9 }), () =>
    z
      .int()
      .max(9)
      .overwrite((n) => n / 2),
  ),
  part(fc.integer().map(String), () => z.string().transform(Number).pipe(z.int())),
  part(fc.integer().map(String), () => z.string().transform((digits) => BigInt(digits))),
  part(fc.integer().map(String), () => z.preprocess(String, z.string())),
  part(
    instant.map((date) => date.toISOString()),
    () => z.codec(z.iso.datetime(), z.date(), { decode: (s) => new Date(s), encode: (d) => d.toISOString() }),
  ),
  part(fc.constantFrom('yes', 'no'), () => z.stringbool()),
  part(fc.array(fc.integer({ max: 9 })), () =>
    z
      .array(z.int())
      .overwrite((list) => list.map((n) => n + 1))
      .refine((list) => !list.includes(0)),
  ),
  part(fc.integer(), () =>
    z
      .object({ n: z.int() })
      .overwrite(({ n }) => ({ n: -n }))
      .catch({ n: 1 }),
  ),
  part(fc.constantFrom('a@b.de', 'A@B.DE'), () => z.email().toLowerCase()),
  part(fc.constantFrom('ABC', 'X'), () =>
    z
      .string()
      .regex(/^[A-Z]+$/)
      .toLowerCase(),
  ),
)

function part(values: fc.Arbitrary<unknown>, schema: () => unknown): fc.Arbitrary<Part> {
  return fc.tuple(values, values).map(([input, other]) => ({ schema: schema(), input, other }))
}

export const zodPart = fc.letrec<{ part: Part }>((tie) => {
  const inner = tie('part')
  const listOf = fc.tuple(inner, fc.boolean())
  return {
    part: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      zodLeaf,
      inner.map(({ schema, input, other }) => ({
        schema: z.object({ a: schema, b: z.int() }),
        input: { a: input, b: 1 },
        other: { a: other, b: 1 },
      })),
      inner.map(({ schema, input, other }) => ({ schema: schema.optional(), input, other })),
      inner.map(({ schema, input }) => ({ schema: schema.nullable(), input, other: null })),
      inner.map(({ schema, input, other }) => ({ schema: z.union([z.literal('~'), schema]), input, other })),
      inner.map(({ schema, input, other }) => ({ schema: z.lazy(() => schema), input, other })),
      listOf.map(([{ schema, input, other }, both]) => ({
        schema: z.array(schema),
        input: both ? [input, other] : [input],
        other: [other],
      })),
      inner.map(({ schema, input, other }) => ({
        schema: z.tuple([z.int(), schema]),
        input: [1, input],
        other: [1, other],
      })),
      inner.map(({ schema, input, other }) => ({
        schema: z.record(z.string(), schema),
        input: { x: input },
        other: { y: other },
      })),
      inner.map(({ schema, input, other }) => ({
        schema: z.record(z.number(), schema),
        input: { 1: input },
        other: { 2: other },
      })),
      inner.map(({ schema, input, other }) => ({
        schema: z.looseRecord(z.string().regex(/^s/), schema),
        input: { s: input, x: 1 },
        other: { s: other, y: true },
      })),
      inner.map(({ schema, input, other }) => ({
        schema: z.object({ a: schema }).and(z.object({ b: z.string().trim() })),
        input: { a: input, b: ' x ' },
        other: { a: other, b: 'y' },
      })),
      inner.map(({ schema, input, other }) => ({
        schema: z.map(z.string(), schema),
        input: new Map([['x', input]]),
        other: new Map([['x', other]]),
      })),
      inner.map(({ schema, input, other }) => ({
        schema: z.set(schema),
        input: new Set([input]),
        other: new Set([other]),
      })),
      inner.map(({ schema, input, other }) => ({
        schema: z.object({ a: schema }).refine(async () => true),
        input: { a: input },
        other: { a: other },
      })),
    ),
  }
}).part

const valibotLeaf: fc.Arbitrary<Part> = fc.oneof(
  part(text, () => v.string()),
  part(text, () => v.pipe(v.string(), v.trim(), v.toLowerCase())),
  part(text, () => v.pipe(v.string(), v.trim(), v.normalize('NFKC'))),
  part(fc.string({ minLength: 3 }), () => v.pipe(v.string(), v.minLength(3), v.trim())),
  part(fc.integer(), () => v.pipe(v.number(), v.toMinValue(3), v.toMaxValue(8))),
  part(fc.option(text, { nil: undefined }), () => v.optional(v.pipe(v.string(), v.trim()), ' d ')),
  part(fc.option(text), () => v.nullish(v.string(), 'd')),
  part(fc.oneof(text, fc.integer()), () => v.fallback(v.pipe(v.number(), v.minValue(1)), 0)),
  part(fc.oneof(text, fc.integer()), () => v.fallback(v.number(), () => 1)),
  part(fc.integer({ min: -1000, max: 1000 }), () =>
    v.pipe(
      v.number(),
      v.transform((n) => n * 100),
      v.maxValue(1e6),
    ),
  ),
  part(fc.integer().map(String), () => v.pipe(v.string(), v.transform(Number), v.number(), v.integer())),
  part(fc.integer().map(String), () =>
    v.pipe(
      v.string(),
      v.transform((digits) => BigInt(digits)),
    ),
  ),
  part(text, () =>
    v.pipe(
      v.string(),
      v.transform((s) => s.trim()),
    ),
  ),
  part(fc.array(fc.integer()), () =>
    v.pipe(
      v.array(v.number()),
      v.mapItems((n) => n + 1),
    ),
  ),
  part(text, () =>
    v.pipeAsync(
      v.string(),
      v.transformAsync(async (s) => `${s}!`),
    ),
  ),
)

export const valibotPart = fc.letrec<{ part: Part }>((tie) => {
  const inner = tie('part')
  const wrap = (schema: (part: unknown) => unknown, value: (part: unknown) => unknown) =>
    inner.map((it) => ({ schema: schema(it.schema), input: value(it.input), other: value(it.other) }))
  return {
    part: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      valibotLeaf,
      wrap(
        (a) => v.objectAsync({ a: a as never, b: v.number() }),
        (a) => ({ a, b: 1 }),
      ),
      wrap(
        (a) =>
          v.pipeAsync(
            v.looseObjectAsync({ a: a as never }),
            v.checkAsync(async () => true),
          ),
        (a) => ({ a, b: 1 }),
      ),
      wrap(
        (a) => v.objectWithRestAsync({ b: v.number() }, a as never),
        (a) => ({ a, b: 1 }),
      ),
      wrap(
        (a) => v.optionalAsync(a as never),
        (a) => a,
      ),
      wrap(
        (a) => v.nullableAsync(a as never),
        (a) => a,
      ),
      wrap(
        (a) => v.unionAsync([v.literal('~'), a as never]),
        (a) => a,
      ),
      wrap(
        (a) => v.lazyAsync(() => a as never),
        (a) => a,
      ),
      wrap(
        (a) => v.arrayAsync(a as never),
        (a) => [a],
      ),
      wrap(
        (a) => v.tupleAsync([v.number(), a as never]),
        (a) => [1, a],
      ),
      wrap(
        (a) => v.recordAsync(v.string(), a as never),
        (a) => ({ a }),
      ),
      wrap(
        (a) => v.mapAsync(v.string(), a as never),
        (a) => new Map([['x', a]]),
      ),
      wrap(
        (a) => v.setAsync(a as never),
        (a) => new Set([a]),
      ),
    ),
  }
}).part

const arkLeaf: fc.Arbitrary<Part> = fc.oneof(
  part(text, () => type('string')),
  part(text, () => type('string.trim')),
  part(fc.string({ minLength: 3 }), () => type('string >= 3').pipe((s) => s.trim())),
  part(text, () => type('string.capitalize')),
  part(fc.integer({ min: -1000, max: 1000 }), () => type('number').pipe((n) => n * 100)),
  part(fc.integer({ min: -1000, max: 1000 }), () =>
    type('number')
      .pipe((n) => n * 100)
      .to('number < 1000000'),
  ),
  part(fc.integer().map(String), () => type('string.numeric.parse')),
  part(
    instant.map((date) => date.toISOString()),
    () => type('string.date.iso.parse'),
  ),
  part(
    fc.integer().map((n) => JSON.stringify({ n })),
    () => type('string.json.parse'),
  ),
)

export const arkPart = fc.letrec<{ part: Part }>((tie) => {
  const inner = tie('part')
  const wrap = (schema: (part: never) => unknown, value: (part: unknown) => unknown) =>
    inner.map((it) => ({
      schema: schema(it.schema as never),
      input: value(it.input),
      other: value(it.other),
    }))
  return {
    part: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      arkLeaf,
      wrap(
        (a) => type({ a, b: 'number' }),
        (a) => ({ a, b: 1 }),
      ),
      wrap(
        (a) => type({ a, 'b?': 'number', '+': 'delete' }).narrow(() => true),
        (a) => ({ a, c: 1 }),
      ),
      wrap(
        (a) => (type as never as (it: unknown) => { or(other: string): unknown })(a).or('null'),
        (a) => a,
      ),
      wrap(
        (a) => (type as never as (it: unknown) => { array(): unknown })(a).array(),
        (a) => [a],
      ),
      wrap(
        (a) => type(['number', a] as never),
        (a) => [1, a],
      ),
      wrap(
        (a) => type({ '[string]': a }),
        (a) => ({ a }),
      ),
    ),
  }
}).part
