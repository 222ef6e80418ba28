import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { encodeKey } from '../../src/key/codec.ts'
import { encodeCursor } from '../../src/query/cursor.ts'
import { findRows } from '../../src/query/evaluate.ts'
import { chooseIndex, readsAll } from '../../src/query/index-choice.ts'
import type { FindPlan } from '../../src/query/plan.ts'
import { Planner } from '../../src/query/planner.ts'
import type { UncheckedQuery } from '../../src/query/unchecked.types.ts'
import { jsonSchemaOf } from '../../src/schema/json-schema.ts'
import { encodeValue } from '../../src/value/codec.ts'
import { comparedValue } from '../../src/value/compared-value.ts'
import { ValueFormat } from '../../src/value/value-format.ts'
import { defineValueType } from '../../src/value/value-type.ts'
import { anyCharacter } from '../any-character.ts'
import { extent } from '../extent.ts'
import { engines, type TestedEngine } from './engines.ts'

type Opened = Awaited<ReturnType<TestedEngine['open']>>
type Row = { readonly key: Uint8Array; readonly value: unknown }

const text = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'A',
    'ab',
    'aB',
    'b',
    'é',
    'ｚ',
    '😀',
    '\ud83d',
    'a\ude00',
    '%',
    '_',
    'a%b',
    '*',
    '[',
    '?',
    '10',
    '9',
    '1',
    'true',
    '{}',
  ),
  fc.string({ unit: 'grapheme', maxLength: 4 }),
  fc.string({ unit: anyCharacter, maxLength: 3 }),
)
const number = fc.oneof(
  fc.constantFrom(0, 1, -1, 2, 9, 10, 0.1, 1e21, 2 ** 53, 2 ** 60, 2 ** 63, -(2 ** 62), 5e-324),
  fc.integer({ min: -5, max: 5 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (n === 0 ? 0 : n)),
)
const date = fc.date({ min: new Date(-1e12), max: new Date(3e12), noInvalidDate: true })
const bigint = fc.oneof(
  fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
  fc.constantFrom(
    0n,
    9n,
    10n,
    -9n,
    -10n,
    2n ** 63n - 1n,
    2n ** 63n,
    -(2n ** 63n),
    -(2n ** 63n) - 1n,
    10n ** 40n,
  ),
)
/** The texts of ISO 8601 that name an instant, and the instant. */
const instant = fc.oneof(
  date,
  date.map((at) => at.toISOString()),
  date.map((at) => at.toISOString().replace('Z', '00+00:00')),
  date.map((at) => new Date(at.getTime() + 3_600_000).toISOString().replace('Z', '+01:00')),
  date.map((at) => at.toISOString().slice(0, 10)),
  date.map((at) => at.toISOString().replace('Z', '5Z')),
)

class Price {
  readonly cents: bigint
  readonly of: string
  constructor(cents: bigint, of: string) {
    this.cents = cents
    this.of = of
  }
}
const format = new ValueFormat([
  defineValueType({
    name: 'price',
    class: Price,
    encode: ({ cents, of }) => ({ cents, of }),
    decode: ({ cents, of }) => new Price(cents, of),
  }),
])

/** Of values that hold themselves, an object is stored once. */
const circular = fc.record({ n: number, s: text, big: bigint, at: date }).map((facts) => {
  const inner: Record<string, unknown> = { ...facts }
  const outer: Record<string, unknown> = { inner, again: inner, list: [inner, facts.s, facts.big], ...facts }
  inner['outer'] = outer
  return outer
})
const failure = fc
  .record({ message: text, cause: fc.oneof(text, bigint), n: number })
  .map(({ message, cause, n }) => Object.assign(new TypeError(message, { cause }), { n }))

/** What a field may hold; a schema of `unknown` lets all of these through. */
const anything = fc.oneof(
  text,
  number,
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
  date,
  bigint,
  fc.array(fc.oneof(text, number, fc.boolean(), fc.constant(null)), { maxLength: 3 }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -0, 0),
  fc.array(fc.record({ n: fc.constantFrom(0, -0, 1), s: text }), { maxLength: 2 }),
  fc.constant({ inner: 1 }),
  fc.constant(new Map([['inner', 1]])),
  fc.constantFrom<unknown>(new Set(['a', 1]), new Set([9n, '9']), ['9', 9n], new BigInt64Array([9n, 10n])),
  circular,
  failure,
  fc.tuple(bigint, text).map(([cents, of]) => new Price(cents, of)),
  fc.constant(new URL('https://example.com/a')),
)

const fieldValues = {
  name: text,
  nick: fc.option(text, { nil: undefined }),
  note: fc.option(text, { nil: null }),
  age: fc.oneof(
    { weight: 5, arbitrary: number },
    fc.constantFrom(-0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  ),
  score: fc.option(number, { nil: null }),
  ok: fc.boolean(),
  maybe: fc.option(fc.boolean(), { nil: undefined }),
  kind: fc.constantFrom('x', 'y'),
  either: fc.oneof(text, number),
  at: date,
  big: bigint,
  tags: fc.array(text, { maxLength: 3 }),
  mixed: fc.array(fc.oneof(text, number, fc.boolean()), { maxLength: 3 }),
  nested: fc.option(
    fc.record(
      { city: text, deep: fc.record({ n: number }, { requiredKeys: [] }) },
      { requiredKeys: ['deep'] },
    ),
    { nil: undefined },
  ),
  loose: anything,
  'odd name': fc.option(number, { nil: undefined }),
  'a.b"c': text,
  '': number,
  AND: number,
  in: fc.record({ in: number, '\\': text }),
  bigs: fc.option(bigint, { nil: null }),
  lines: fc.array(fc.record({ sku: text, n: fc.option(number, { nil: undefined }), at: date, big: bigint }), {
    maxLength: 3,
  }),
  dates: fc.array(date, { maxLength: 2 }),
}

const schema = z.object({
  name: z.string(),
  nick: z.string().optional(),
  note: z.string().nullable(),
  age: z.number(),
  score: z.number().nullable(),
  ok: z.boolean(),
  maybe: z.boolean().optional(),
  kind: z.enum(['x', 'y']),
  either: z.union([z.string(), z.number()]),
  at: z.date(),
  big: z.bigint(),
  tags: z.array(z.string()),
  mixed: z.array(z.union([z.string(), z.number(), z.boolean()])),
  nested: z.object({ city: z.string().optional(), deep: z.object({ n: z.number().optional() }) }).optional(),
  loose: z.any(),
  'odd name': z.number().optional(),
  'a.b"c': z.string(),
  '': z.number(),
  AND: z.number(),
  in: z.object({ in: z.number(), '\\': z.string() }),
  bigs: z.bigint().nullable(),
  lines: z.array(z.object({ sku: z.string(), n: z.number().optional(), at: z.date(), big: z.bigint() })),
  dates: z.array(z.date()),
})

const indexes = [
  { fields: ['age'], unique: false },
  { fields: ['nick'], unique: false },
  { fields: ['kind', 'score'], unique: false },
  { fields: ['nested.city', 'age'], unique: false },
  { fields: ['loose'], unique: false },
  { fields: ['bigs', 'age'], unique: false, bigints: ['bigs'] },
  { fields: ['name'], unique: false },
]

const wellFormed = text.filter((part) => part.isWellFormed())
const pattern = wellFormed.map((part) => part.replaceAll(/[^%_a-zA-Z\u0080-\uffff]/g, '_'))
const patterns = fc.oneof(
  pattern,
  fc
    .array(fc.constantFrom('%', '_', '\\%', '\\_', '\\\\', '\\a', 'a', 'b', 'A', 'é', '*', '[', ']', '?'), {
      maxLength: 5,
    })
    .map((all) => all.join('')),
)

const equality = (operand: fc.Arbitrary<unknown>) => [
  operand,
  operand.map((eq) => ({ eq })),
  operand.map((ne) => ({ ne })),
  fc.constant({ isNull: true }),
  fc.constant({ isNotNull: true }),
]
const lists = (operand: fc.Arbitrary<unknown>) => {
  const list = fc.array(operand, { maxLength: 4 })
  return [list.map((items) => ({ in: items })), list.map((notIn) => ({ notIn }))]
}
const ordered = (operand: fc.Arbitrary<unknown>) =>
  (['gt', 'gte', 'lt', 'lte'] as const).map((name) => operand.map((value) => ({ [name]: value })))
const likes = (['like', 'notLike', 'ilike', 'notIlike'] as const).map((name) =>
  patterns.map((value) => ({ [name]: value })),
)
const parts = (['contains', 'startsWith', 'endsWith', 'icontains', 'istartsWith', 'iendsWith'] as const).map(
  (name) =>
    fc
      .oneof(wellFormed, fc.constantFrom('a', 'B', '', 'b%', '\u{10ffff}'))
      .map((value) => ({ [name]: value })),
)
const elements = (condition: fc.Arbitrary<unknown>) =>
  fc.oneof(
    ...(['some', 'every', 'none'] as const).map((name) => condition.map((inner) => ({ [name]: inner }))),
    fc.constantFrom({ some: {} }, { none: {} }),
  )
const between = (operand: fc.Arbitrary<unknown>) =>
  fc.tuple(operand, operand).map(([gte, lt]) => ({ gte, lt }))

const texts = fc.oneof(
  ...equality(wellFormed),
  ...lists(wellFormed),
  ...ordered(wellFormed),
  ...likes,
  ...parts,
  between(wellFormed),
)
const dates = fc.oneof(...equality(instant), ...lists(instant), ...ordered(instant), between(instant))
const bigints = fc.oneof(...equality(bigint), ...lists(bigint), ...ordered(bigint), between(bigint))
const numbers = fc.oneof(...equality(number), ...lists(number), ...ordered(number), between(number))
const booleans = fc.oneof(...equality(fc.boolean()), ...lists(fc.boolean()))
const eithers = fc.oneof(texts, numbers, ...lists(fc.oneof(wellFormed, number)))
const anyConditions = fc.oneof(
  eithers,
  ...lists(fc.oneof(wellFormed, number, fc.boolean())),
  booleans,
  fc.oneof(...equality(date), ...equality(bigint)),
  fc.oneof(...ordered(date), ...ordered(bigint)),
  fc.oneof(...parts),
  elements(
    fc
      .oneof(wellFormed, number, fc.boolean(), fc.record({ n: numbers, s: texts }, { requiredKeys: [] }))
      .filter((one) => typeof one !== 'object' || Object.keys(one as object).length > 0),
  ),
  fc
    .array(fc.oneof(wellFormed, number, fc.boolean(), bigint, date), { maxLength: 2 })
    .map((arrayContains) => ({ arrayContains })),
  ...['message', 'name', 'cause', 's', 'of'].map((name) => texts.map((one) => ({ [name]: one }))),
  ...['cause', 'big', 'cents'].map((name) => bigints.map((one) => ({ [name]: one }))),
  fc
    .tuple(fc.constantFrom('inner', 'again', 'outer'), fc.oneof(eithers, booleans))
    .map(([name, one]) => ({ [name]: { s: one } })),
  fc.tuple(fc.constantFrom('inner', 'again'), bigints).map(([name, big]) => ({ [name]: { outer: { big } } })),
  fc.constantFrom('inner', 'again').map((name) => ({ [name]: { isNull: true } })),
  fc.oneof(bigints, texts).map((some) => ({ list: { some } })),
)

const fieldConditions: Record<string, fc.Arbitrary<unknown>> = {
  name: texts,
  nick: texts,
  note: texts,
  age: numbers,
  score: numbers,
  ok: booleans,
  maybe: booleans,
  kind: texts,
  either: eithers,
  at: dates,
  big: bigints,
  bigs: bigints,
  tags: fc.oneof(
    fc.oneof(fc.array(wellFormed, { maxLength: 2 }), wellFormed).map((arrayContains) => ({ arrayContains })),
    elements(texts),
  ),
  dates: fc.oneof(
    fc.oneof(fc.array(instant, { maxLength: 2 }), instant).map((arrayContains) => ({ arrayContains })),
    elements(dates),
  ),
  lines: elements(
    fc.oneof(
      texts.map((sku) => ({ sku })),
      fc.tuple(texts, numbers).map(([sku, n]) => ({ sku, n })),
      fc.tuple(dates, numbers).map(([at, n]) => ({ OR: [{ at }, { n }] })),
      bigints.map((big) => ({ NOT: { big } })),
    ),
  ),
  'a.b"c': texts,
  '': numbers,
  '\\AND': numbers,
  in: fc.oneof(
    numbers.map((n) => ({ '\\in': n })),
    texts.map((one) => ({ '\\\\': one })),
  ),
  mixed: fc
    .array(fc.oneof(wellFormed, number, fc.boolean()), { maxLength: 2 })
    .map((arrayContains) => ({ arrayContains })),
  nested: fc.oneof(
    texts.map((city) => ({ city })),
    numbers.map((n) => ({ deep: { n } })),
    fc.constant({ isNull: true }),
    fc.tuple(texts, numbers).map(([city, n]) => ({ OR: [{ city }, { deep: { n } }] })),
  ),
  loose: anyConditions,
  'odd name': numbers,
}

/** The keys of the rows that `store` writes are these ids. */
const id = fc.integer({ min: -1, max: 13 })
const ids = fc.oneof(
  ...equality(id).slice(0, 3),
  ...lists(id),
  ...ordered(id),
  between(id),
  fc.constantFrom({ startsWith: '' }, { startsWith: 'x' }),
  fc.tuple(id, id).map(([a, b]) => ({ OR: [{ eq: a }, { NOT: { gte: b } }] })),
)

const named = fc
  .constantFrom(...Object.keys(fieldConditions))
  .chain((name) => fieldConditions[name]!.map((one) => ({ [name]: one })))
const single = fc.oneof(
  { weight: 15, arbitrary: named },
  ids.map(($id) => ({ $id })),
)

const where = fc.letrec((tie) => ({
  where: fc.oneof(
    { maxDepth: 3 },
    single,
    fc.tuple(single, single).map(([a, b]) => ({ ...a, ...b })),
    fc.array(tie('where'), { maxLength: 3 }).map((AND) => ({ AND })),
    fc.array(tie('where'), { maxLength: 3 }).map((OR) => ({ OR })),
    tie('where').map((NOT) => ({ NOT })),
  ),
})).where

const sortable = [
  'name',
  'nick',
  'note',
  'age',
  'score',
  'ok',
  'maybe',
  'kind',
  'either',
  'at',
  'odd name',
  'big',
  'bigs',
  'a.b"c',
  '',
  '\\AND',
  '$id',
] as const
const direction = fc.constantFrom('asc', 'desc')
const orderBy = fc.oneof(
  fc
    .uniqueArray(fc.constantFrom(...sortable), { maxLength: 3 })
    .chain((names) =>
      fc
        .tuple(...names.map(() => direction))
        .map((all) => Object.fromEntries(names.map((name, i) => [name, all[i]]))),
    ),
  fc.tuple(direction, direction).map(([city, n]) => ({ nested: { city, deep: { n } } })),
)

const distinct = fc.uniqueArray(
  fc.constantFrom(
    'kind',
    'nick',
    'ok',
    'score',
    'age',
    'big',
    'at',
    'either',
    'tags',
    'nested.city',
    'a\\.b"c',
    'in.in',
    'AND',
  ),
  { minLength: 1, maxLength: 2 },
)

const query: fc.Arbitrary<UncheckedQuery> = fc.record(
  { where, orderBy, limit: fc.nat({ max: 12 }), offset: fc.nat({ max: 4 }), distinct },
  { requiredKeys: [] },
)

const items = fc.array(fc.record(fieldValues, { noNullPrototype: true }), { minLength: 1, maxLength: 12 })

/** What the steps of SQLite's plan tell. */
function scans({ where }: FindPlan, steps: readonly string[]): boolean {
  const access = steps.find((step) => /^(SCAN|SEARCH) kv\b/.test(step)) ?? ''
  const isNarrow = access.startsWith('SEARCH') && !access.endsWith('kv_collection (collection=?)')
  return (
    !isNarrow && (where !== null || steps.some((step) => step.startsWith('USE TEMP B-TREE FOR ORDER BY')))
  )
}

const schemas = [
  ['a schema that tells what the fields are', jsonSchemaOf(schema)],
  ['a schema that tells nothing', null],
] as const

describe.each(
  engines.flatMap((engine) => schemas.map(([what, known]) => [engine.name, what, known, engine] as const)),
)('on %s SQL and JavaScript give the same rows in the same order, with %s', (name, _what, known, engine) => {
  let opened: Opened
  // Only of a field that a schema says to be a bigint an index holds the order.
  const declared = known === null ? indexes.map(({ fields, unique }) => ({ fields, unique })) : indexes
  const planner = new Planner({
    name: 'things',
    schema: known,
    indexes: declared,
    pattern: ['things', '*'],
    idKinds: [],
  })
  const collection = { name: 'things', pattern: ['things', '*'], schema: known, references: {} }

  beforeAll(async () => {
    opened = await engine.open([{ ...collection, indexes: declared }])
  })
  afterAll(() => opened.driver.destroy())

  async function store(values: readonly unknown[]): Promise<Row[]> {
    await opened.driver.clear()
    const stored = values.map((value) => encodeValue(value, format))
    const rows = stored.map(({ value, encoding, types }, i) => ({
      key: encodeKey(['things', (i * 7) % 13]),
      value: comparedValue(value, encoding, types),
    }))
    const mutations = rows.map(({ key }, i) => ({
      type: 'set' as const,
      key,
      collection: 'things',
      stored: stored[i]!,
      expiresAt: null,
    }))
    const catalogVersion = opened.catalog.version
    const result = await opened.driver.commit({ catalogVersion, writes: [{ checks: [], mutations }] })
    expect(result).toMatchObject({ type: 'done', outcomes: [{ type: 'committed' }] })
    return rows
  }

  const hex = (key: unknown) => Buffer.from(key as Uint8Array).toString('hex')

  async function expectAlike(asked: UncheckedQuery, rows: readonly Row[]): Promise<Row[]> {
    const planned = planner.find(asked, null)
    const expected = findRows(planned, rows)
    const found = await opened.driver.read({ type: 'find', query: planned })
    expect(found.map((row) => hex(encodeKey(row.key)))).toEqual(expected.map(({ key }) => hex(key)))
    return expected
  }

  it('for any values and queries', async () => {
    await fc.assert(
      fc.asyncProperty(items, fc.array(query, { minLength: 1, maxLength: 8 }), async (values, queries) => {
        const rows = await store(values)
        for (const one of queries) await expectAlike(one, rows)
      }),
      { numRuns: name === 'sqlite' ? extent('databases', 50, 400) : extent('databases', 20, 150) },
    )
  })

  it.runIf(name === 'sqlite')('exactly those that are reported to read the whole collection do', async () => {
    await fc.assert(
      fc.asyncProperty(query, async (asked) => {
        const planned = planner.find(asked, null)
        const { plan, sql } = await opened.driver.read({ type: 'explain', query: planned })
        const order = planned.plan.order
        // Of a condition that is false of every row SQLite's plan tells nothing, and of a pattern what it is at the moment.
        fc.pre(!/"constant"|"like"|"conditions":\[\]/.test(JSON.stringify(planned.plan.where)))
        const choice = chooseIndex(planned.plan, order, declared, new Set())
        expect(readsAll(planned.plan, choice), `${sql} ${plan.join(' · ')}`).toBe(scans(planned.plan, plan))
      }),
      { numRuns: extent('queries', 125, 1_000) },
    )
  })

  it('page by page, behind any row', async () => {
    await fc.assert(
      fc.asyncProperty(
        items,
        where,
        orderBy,
        fc.integer({ min: 1, max: 4 }),
        async (values, where, orderBy, limit) => {
          const rows = await store(values)
          const all = await expectAlike({ where, orderBy }, rows)
          const seen: Row[] = []
          for (let after: string | undefined; ; ) {
            const page = await expectAlike({ where, orderBy, limit, after }, rows)
            seen.push(...page)
            const last = page.at(-1)
            if (last === undefined) break
            after = encodeCursor(
              planner.find({ where, orderBy }, null).plan,
              last.key,
              encodeValue(last.value).value,
            )
          }
          expect(seen).toEqual(all)
        },
      ),
      { numRuns: name === 'sqlite' ? extent('databases', 20, 150) : extent('databases', 10, 100) },
    )
  })
})
