import * as fc from 'fast-check'
import { parameter, QueryError, Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { extent } from '../extent.ts'
import { engines } from './engines.ts'

const schema = z.object({
  n: z.number(),
  text: z.string().optional(),
  at: z.date(),
  ok: z.boolean(),
  big: z.bigint(),
  either: z.union([z.string(), z.number(), z.boolean()]),
  tags: z.array(z.union([z.string(), z.number()])),
  loose: z.any(),
})

const scalar = fc.oneof(
  fc.integer({ min: -2, max: 3 }),
  fc.constantFrom('a', 'b', '%', '', '1'),
  fc.boolean(),
  fc.constantFrom(new Date(0), new Date(1)),
  fc.constantFrom(0n, 1n),
)
/** As an operand in a query it would be conditions of its own. */
const conditions = { gt: 1 }
/** What executions give, right and wrong. */
const operand = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 3, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(null, undefined, Number.NaN, '\ud800', conditions, [null], [[1]]) },
)
const row = fc.record(
  {
    n: fc.integer({ min: -2, max: 3 }),
    text: fc.constantFrom('a', 'b', 'ab'),
    at: fc.constantFrom(new Date(0), new Date(1)),
    ok: fc.boolean(),
    big: fc.constantFrom(0n, 1n),
    either: fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constantFrom('a', '1'), fc.boolean()),
    tags: fc.array(fc.constantFrom('a', 'b', 1), { maxLength: 2 }),
    loose: fc.oneof(scalar, fc.constant(null)),
  },
  { requiredKeys: ['n', 'at', 'ok', 'big', 'either', 'tags', 'loose'], noNullPrototype: true },
)
const operators = [
  'eq',
  'ne',
  'gt',
  'gte',
  'lt',
  'lte',
  'in',
  'notIn',
  'like',
  'ilike',
  'arrayContains',
] as const
const condition = fc.record({
  field: fc.constantFrom('n', 'text', 'at', 'ok', 'big', 'either', 'tags', 'loose'),
  operator: fc.constantFrom(...operators, null),
  name: fc.constantFrom('x', 'y'),
})
const query = fc.record({
  conditions: fc.array(condition, { minLength: 1, maxLength: 3 }),
  logic: fc.constantFrom('AND', 'OR', 'NOT'),
  orderBy: fc.constantFrom(undefined, { n: 'asc' }, { either: 'desc', n: 'asc' }),
  limit: fc.option(fc.constantFrom(2, 'limit')),
  prefix: fc.constantFrom(undefined, ['p'], 'prefix'),
})
type Shape = typeof query extends fc.Arbitrary<infer T> ? T : never

/** The query, with what `of` gives in the places of its operands. */
function queryOf(
  { conditions, logic, orderBy, limit, prefix }: Shape,
  of: (name: string) => unknown,
): object {
  const all = conditions.map(({ field, operator, name }) => ({
    [field]: operator === null ? of(name) : { [operator]: of(name) },
  }))
  return {
    where: logic === 'NOT' ? { NOT: { AND: all } } : { [logic]: all },
    ...(orderBy && { orderBy }),
    ...(limit !== null && { limit: limit === 'limit' ? of('limit') : limit }),
    ...(prefix && { prefix: prefix === 'prefix' ? [of('prefix')] : prefix }),
  }
}

type Outcome = { readonly found: unknown } | { readonly failed: unknown }

async function outcome(call: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { found: await call() }
  } catch (error) {
    return { failed: (error as object).constructor }
  }
}

it.each(engines)(
  'a prepared query gives what the same query gives with its operands in place, whatever their kinds, on $name',
  async ({ name, place }) => {
    const db = await Valkeyrie.withSchema(['things', '*', '*'], schema, {
      name: 'things',
      indexes: [{ on: 'n' }, { on: ['either', 'n'] }, { on: 'loose' }],
    }).open(...place())
    const { things } = db.repositories
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 8 }),
        query,
        fc.array(
          fc.record({
            x: operand,
            y: operand,
            limit: fc.integer({ min: 1, max: 3 }),
            prefix: fc.constantFrom('p', 'q', 'none'),
          }),
          {
            minLength: 2,
            maxLength: 6,
          },
        ),
        async (rows, shape, executions) => {
          await db.clear()
          await things.insertMany(rows.map((value, i) => [[i % 2 ? 'p' : 'q', i], value] as const))
          const names = new Set<string>()
          const asked = queryOf(shape, (name) => {
            names.add(name)
            return parameter(name)
          })
          const prepared = things.prepare(asked as never) as unknown as Record<
            'execute' | 'first' | 'page',
            (values: object) => Promise<unknown>
          >
          for (const all of executions) {
            const values = Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name)))
            const literal = queryOf(shape, (name) => values[name]) as never
            const isRefused = Object.values(values).includes(conditions as never)
            for (const [call, method] of [
              [() => things.findMany(literal), 'execute'],
              [() => things.findFirst(literal), 'first'],
              [() => things.findPage(literal), 'page'],
            ] as const) {
              const expected = isRefused ? { failed: QueryError } : await outcome(call)
              expect(await outcome(() => prepared[method](values)), method).toEqual(expected)
            }
          }
        },
      ),
      { numRuns: name === 'sqlite' ? extent('queries', 40, 300) : extent('queries', 12, 100) },
    )
    await db.close()
  },
)
