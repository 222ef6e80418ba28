import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { encodeKey } from '../../src/key/codec.ts'
import { findRows } from '../../src/query/evaluate.ts'
import { type Operator, operators, semanticsOf } from '../../src/query/operators.ts'
import { Planner } from '../../src/query/planner.ts'
import { jsonSchemaOf } from '../../src/schema/json-schema.ts'
import { encodeValue } from '../../src/value/codec.ts'
import { comparedValue } from '../../src/value/compared-value.ts'
import { extent } from '../extent.ts'
import { engines, type TestedEngine } from './engines.ts'

const texts = [
  '',
  'a',
  'A',
  'ab',
  'Ab',
  'b',
  '%',
  '_',
  '\\',
  '100%',
  'a\0b',
  'é',
  '😀',
  '10',
  '9',
  '-9',
  '-0',
  'NaN',
  'true',
  '{}',
]
const numbers = [0, -0, 1, -1, 10, 0.5, 2 ** 60, Number.NaN, Number.POSITIVE_INFINITY]
const bigints = [0n, 9n, 10n, -9n, -10n, 2n ** 63n, -(2n ** 63n), 10n ** 30n]
const dates = [new Date(0), new Date(1), new Date(-1)]

const text = fc.constantFrom(...texts)
const number = fc.constantFrom(...numbers)
const bigint = fc.constantFrom(...bigints)
const date = fc.constantFrom(...dates)
const lines = fc.array(fc.record({ n: fc.constantFrom(0, -0, 1), s: text }), { maxLength: 2 })

const schema = z.object({
  text: z.string().optional(),
  number: z.number(),
  bigint: z.bigint().nullable(),
  date: z.date().optional(),
  boolean: z.boolean(),
  tags: z.array(z.string()),
  lines: z.array(z.object({ n: z.number(), s: z.string() })),
  mixed: z.union([z.string(), z.number(), z.bigint(), z.boolean(), z.date()]).optional(),
  any: z.any(),
  set: z.set(z.union([z.bigint(), z.string()])),
})
const anything = fc.oneof(
  text,
  number,
  bigint,
  date,
  fc.boolean(),
  lines,
  fc.constantFrom(null, undefined),
  fc.array(fc.oneof(text, bigint, date), { maxLength: 3 }),
  fc.constantFrom(new BigInt64Array([9n, -9n]), new Float64Array([0, Number.NaN])),
)
const value = fc.record({
  text: fc.option(text, { nil: undefined }),
  number,
  bigint: fc.option(bigint, { nil: null }),
  date: fc.option(date, { nil: undefined }),
  boolean: fc.boolean(),
  tags: fc.array(text, { maxLength: 2 }),
  lines,
  mixed: fc.oneof(text, number, bigint, fc.boolean(), date, fc.constant(undefined)),
  any: anything,
  set: fc.uniqueArray(fc.oneof(bigint, text), { maxLength: 2 }).map((items) => new Set(items)),
})

const plain = text.filter((one) => one !== '\\')
const finite = fc.constantFrom(...numbers.filter(Number.isFinite))
const instant = fc.oneof(date, fc.constantFrom('1970-01-01', '1970-01-01T01:00:00.0005+01:00'))

/** The operands that are valid for each field. */
const scalars: Record<string, fc.Arbitrary<unknown>> = {
  text: plain,
  number: finite,
  bigint,
  date: instant,
  mixed: fc.oneof(plain, finite, bigint, date),
  any: fc.oneof(plain, finite, bigint, date),
}

function operandsOf(operator: Operator): Record<string, fc.Arbitrary<unknown>> {
  const semantics = semanticsOf(operator)!
  if ('negates' in semantics) return operandsOf(semantics.negates)
  const each = (make: (scalar: fc.Arbitrary<unknown>) => fc.Arbitrary<unknown>) =>
    Object.fromEntries(Object.entries(scalars).map(([field, scalar]) => [field, make(scalar)]))
  switch (semantics.takes) {
    case 'scalar':
      return { ...scalars, boolean: fc.boolean() }
    case 'ordered':
      return scalars
    case 'list':
      return each((scalar) => fc.array(fc.oneof(scalar), { maxLength: 3 }))
    case 'pattern':
    case 'text': {
      const patterns = fc.oneof(plain, fc.constantFrom('a%', '%b', '\\%', '_b', '%\\_%'))
      return { text: patterns, mixed: patterns, any: patterns }
    }
    case 'true':
      return Object.fromEntries(
        [...Object.keys(scalars), 'tags', 'lines'].map((name) => [name, fc.constant(true)]),
      )
    case 'items':
      return {
        tags: fc.array(plain, { maxLength: 2 }),
        any: fc.oneof(
          fc.array(fc.oneof(plain, finite, fc.boolean(), bigint, date), { maxLength: 2 }),
          fc.boolean(),
        ),
        set: fc.oneof(fc.array(fc.oneof(plain, bigint), { maxLength: 2 }), plain, bigint),
      }
    case 'elements': {
      const line = fc.oneof(
        finite.map((n) => ({ n })),
        plain.map((s) => ({ s: { contains: s }, n: { gte: 0 } })),
      )
      return {
        tags: fc.oneof(
          plain,
          plain.map((ne) => ({ ne })),
        ),
        lines: line,
        any: fc.oneof(line, plain, finite, bigint),
        set: fc.oneof(
          bigint,
          bigint.map((gt) => ({ gt })),
          fc.array(bigint, { maxLength: 2 }).map((list) => ({ in: list })),
        ),
      }
    }
  }
}

const trials = {
  sqlite: extent('trials of each operator on sqlite', 5, 40),
  postgres: extent('trials of each operator on postgres', 2, 20),
}

const schemas = [
  ['a schema that tells what the fields are', jsonSchemaOf(schema)],
  ['a schema that tells nothing', null],
] as const

describe.each(
  engines.flatMap((engine) => schemas.map(([what, known]) => [engine.name, what, known, engine] as const)),
)('on %s, with %s', (name, _what, known, engine) => {
  const indexes = [
    { fields: ['number'], unique: false },
    { fields: ['bigint'], unique: false, bigints: ['bigint'] },
    { fields: ['text'], unique: false },
  ]
  const pattern = ['things', '*']
  const planner = new Planner({ name: 'things', schema: known, indexes, pattern, idKinds: [] })
  let opened: Awaited<ReturnType<TestedEngine['open']>>

  beforeAll(async () => {
    opened = await engine.open([{ name: 'things', pattern, schema: known, indexes, references: {} }])
  })
  afterAll(() => opened.driver.destroy())

  it.each(Object.keys(operators) as Operator[])(
    '%s means in SQL what it means in JavaScript',
    async (operator) => {
      const wheres = Object.entries(operandsOf(operator)).map(([field, operand]) =>
        operand.map((one) => ({ [field]: { [operator]: one } })),
      )
      const where = fc.oneof(...wheres)
      const asked = fc.oneof(
        where,
        where.map((NOT) => ({ NOT })),
      )
      await fc.assert(
        fc.asyncProperty(
          fc.array(value, { minLength: 1, maxLength: 8 }),
          fc.array(asked, { minLength: 4, maxLength: 12 }),
          async (values, asked) => {
            await opened.driver.clear()
            const stored = values.map((one) => encodeValue(one))
            const rows = stored.map(({ value, encoding, types }, i) => ({
              key: encodeKey(['things', i]),
              value: comparedValue(value, encoding, types),
            }))
            const mutations = stored.map((stored, i) => ({
              type: 'set' as const,
              key: rows[i]!.key,
              collection: 'things',
              stored,
              expiresAt: null,
            }))
            const catalogVersion = opened.catalog.version
            await opened.driver.commit({ catalogVersion, writes: [{ checks: [], mutations }] })
            for (const where of asked) {
              const planned = planner.find({ where, orderBy: [] }, null)
              const expected = findRows(planned, rows).map(({ key }) => key.toString('hex'))
              const found = await opened.driver.read({ type: 'find', query: planned })
              expect(found.map(({ key }) => encodeKey(key).toString('hex'))).toEqual(expected)
            }
          },
        ),
        { numRuns: trials[name] },
      )
    },
  )
})
