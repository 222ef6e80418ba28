import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { defineSchema } from 'valkeyrie/schema'
import { expect, it } from 'vitest'
import { z } from 'zod'
import {
  changedOutput,
  judgeOutput,
  patchedOutput,
  trustOutput,
  validate,
} from '../../src/schema/validate.ts'

/** A schema of a part, an input that it takes, and another. */
interface Part {
  readonly schema: z.ZodType
  readonly input: unknown
  readonly other: unknown
}

const text = fc.string({ maxLength: 6 })
const instant = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })

const leaf: fc.Arbitrary<Part> = fc.oneof(
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
  part(fc.constantFrom('a@b.de', 'A@B.DE'), () => z.email().toLowerCase()),
  part(fc.constantFrom('ABC', 'X'), () =>
    z
      .string()
      .regex(/^[A-Z]+$/)
      .toLowerCase(),
  ),
)

function part(values: fc.Arbitrary<unknown>, schema: () => z.ZodType): fc.Arbitrary<Part> {
  return fc.tuple(values, values).map(([input, other]) => ({ schema: schema(), input, other }))
}

const anyPart = fc.letrec<{ part: Part }>((tie) => {
  const inner = tie('part')
  const listOf = fc.tuple(inner, fc.boolean())
  return {
    part: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
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

const key = ['rows', 'a']

/** The output of an input; `undefined` where the schema refuses it. */
async function outputOf(definition: ReturnType<typeof row>, input: unknown): Promise<object | undefined> {
  try {
    return (await validate(definition, key, input)) as object
  } catch {
    return undefined
  }
}

const row = (schema: z.ZodType) => defineSchema(['rows', '*'], z.object({ field: schema, note: z.string() }))

it('an output is judged to be one, stays as it is, and is left alone by a patch of another field', async () => {
  await fc.assert(
    fc.asyncProperty(anyPart, async ({ schema, input }) => {
      const definition = row(schema)
      const output = await outputOf(definition, { field: input, note: 'n' })
      fc.pre(output !== undefined)
      await judgeOutput(definition, key, output)
      expect(await trustOutput(definition, key, output)).toStrictEqual(output)
      expect(await changedOutput(definition, key, () => output, { ...output, note: 'x' })).toStrictEqual({
        ...output,
        note: 'x',
      })
      expect(await patchedOutput(definition, key, output!, { note: 'x' })).toStrictEqual({
        ...output,
        note: 'x',
      })
    }),
    { numRuns: 600 },
  )
})

it('a patch that gives a field makes of it what a write of the whole does', async () => {
  await fc.assert(
    fc.asyncProperty(anyPart, async ({ schema, input, other }) => {
      const definition = row(schema)
      const output = await outputOf(definition, { field: input, note: 'n' })
      const whole = await outputOf(definition, { field: other, note: 'n' })
      fc.pre(output !== undefined)
      const patched = Promise.resolve().then(() => patchedOutput(definition, key, output!, { field: other }))
      if (whole === undefined) await expect(patched).rejects.toThrow()
      else expect(await patched).toStrictEqual(whole)
    }),
    { numRuns: 400 },
  )
})

it('a field that is changed to another output is that output, or is refused', async () => {
  await fc.assert(
    fc.asyncProperty(anyPart, async ({ schema, input, other }) => {
      const definition = row(schema)
      const output = await outputOf(definition, { field: input, note: 'n' })
      const next = await outputOf(definition, { field: other, note: 'n' })
      fc.pre(output !== undefined && next !== undefined)
      let changed: unknown
      try {
        changed = await changedOutput(definition, key, () => output, next)
      } catch (error) {
        expect(error).toMatchObject({ code: 'VALIDATION' })
        return
      }
      expect(isDeepStrictEqual(changed, next)).toBe(true)
    }),
    { numRuns: 600 },
  )
})
