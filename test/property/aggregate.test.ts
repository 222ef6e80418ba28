import { inspect } from 'node:util'
import * as fc from 'fast-check'
import { Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { compareText } from '../../src/query/text-order.ts'
import { extent } from '../extent.ts'
import { engines } from './engines.ts'

const schema = z.object({
  n: z.number(),
  m: z.number().nullable(),
  text: z.string().optional(),
  kind: z.enum(['x', 'y']),
  ok: z.boolean().optional(),
  at: z.date().nullable(),
  big: z.bigint(),
  either: z.union([z.string(), z.number(), z.boolean(), z.null()]),
  tags: z.array(z.string()),
  in: z.object({ at: z.date().optional(), n: z.number() }).optional(),
})
type Value = z.infer<typeof schema>

const number = fc.oneof(fc.constantFrom(0, -0, 1, -1, 0.5, 2 ** 60, 1e21), fc.integer({ min: -3, max: 3 }))
const text = fc.constantFrom(
  '',
  'a',
  'B',
  'é',
  'ｚ',
  '😀',
  '1',
  'a\0b',
  "'",
  'true',
  '2020-01-01T00:00:00.000Z',
  'a\ud800',
  'a\udfff',
  '\ufffd',
  '\ud7ff\ufffd\udc00\ud83d',
)
const date = fc.constantFrom(new Date(0), new Date(-1), new Date(1e12))
const value: fc.Arbitrary<Value> = fc.record(
  {
    n: number,
    m: fc.option(number),
    text,
    kind: fc.constantFrom('x' as const, 'y' as const),
    ok: fc.boolean(),
    at: fc.option(date),
    big: fc.constantFrom(0n, 9n, 10n, -9n, -10n, 2n ** 70n, -(2n ** 70n), 2n ** 63n - 1n, 2n ** 63n),
    either: fc.oneof(
      text,
      number.map((n) => n + 0),
      fc.boolean(),
      fc.constant(null),
    ),
    tags: fc.array(fc.constantFrom('a', 'b'), { maxLength: 2 }),
    in: fc.record({ at: date, n: number }, { requiredKeys: ['n'], noNullPrototype: true }),
  },
  { requiredKeys: ['n', 'm', 'kind', 'at', 'big', 'either', 'tags'], noNullPrototype: true },
)

const groupable = ['kind', 'ok', 'text', 'm', 'at', 'big', 'either', 'tags', 'in.at', 'in.n'] as const
const added = ['n', 'm', 'in.n'] as const
const compared = ['n', 'm', 'text', 'ok', 'at', 'big', 'in.at', 'kind'] as const
const counted = [...groupable] as const

/** The field as a group has it: what is missing is null. */
function at(value: unknown, path: string): unknown {
  let found = value
  for (const name of path.split('.')) found = (found as Record<string, unknown> | undefined)?.[name]
  // -0 is 0.
  return found === 0 ? 0 : (found ?? null)
}

/** Numbers by size, texts by code points. */
function compare(a: unknown, b: unknown): number {
  if (typeof a === 'string') return compareText(a, b as string)
  return a === b ? 0 : (a as number) < (b as number) ? -1 : 1
}

const identity = (part: unknown): string => inspect(part)

interface Group {
  readonly identity: string
  readonly values: readonly Value[]
}

function groupsOf(values: readonly Value[], paths: readonly string[]): Group[] {
  const groups = Map.groupBy(values, (one) => paths.map((path) => identity(at(one, path))).join('|'))
  return [...groups].map(([identity, values]) => ({ identity, values }))
}

function expectFigures(figures: Record<string, Record<string, unknown>>, values: readonly Value[]): void {
  expect(figures['count']).toBe(values.length)
  const there = (path: string) => values.map((one) => at(one, path)).filter((found) => found !== null)
  for (const path of added) {
    const numbers = there(path) as number[]
    const sum = numbers.reduce((total, n) => total + n, 0)
    if (numbers.length === 0) expect([figures['sum']![path], figures['avg']![path]]).toEqual([null, null])
    else {
      // What is added in another order differs in the last digits.
      const most = Math.max(1, ...numbers.map(Math.abs))
      expect(Math.abs((figures['sum']![path] as number) - sum) / most).toBeLessThan(1e-9)
      expect(Math.abs((figures['avg']![path] as number) - sum / numbers.length) / most).toBeLessThan(1e-9)
    }
  }
  for (const path of counted) {
    const different = new Set(there(path).map(identity))
    expect(figures['countDistinct']![path], `countDistinct ${path}`).toBe(different.size)
  }
  const bigs = there('big') as bigint[]
  if (bigs.length > 0) {
    const sum = bigs.reduce((total, n) => total + n, 0n)
    expect(figures['sum']!['big']).toBe(sum)
    expect(figures['avg']!['big']).toBeCloseTo(Number(sum) / bigs.length, -9)
  }
  for (const path of compared) {
    const sorted = there(path).sort(compare)
    expect(figures['min']![path], `min ${path}`).toEqual(sorted[0] ?? null)
    expect(figures['max']![path], `max ${path}`).toEqual(sorted.at(-1) ?? null)
  }
}

it.each(engines)(
  'aggregates equal what JavaScript computes from the same values, on $name',
  async ({ name, place }) => {
    const db = await Valkeyrie.withSchema(['things', '*', '*'], schema, {
      name: 'things',
      indexes: [{ on: 'n' }, { on: ['kind', 'm'] }, { on: 'at' }],
    }).open(...place())
    const { things } = db.repositories
    const figures = {
      count: true,
      countDistinct: counted,
      sum: [...added, 'big'],
      avg: [...added, 'big'],
      min: compared,
      max: compared,
    } as const
    await fc.assert(
      fc.asyncProperty(
        fc.array(value, { maxLength: 10 }),
        fc.uniqueArray(fc.constantFrom(...groupable), { minLength: 1, maxLength: 3 }),
        fc.record({
          least: fc.constantFrom(undefined, 0, 1),
          prefix: fc.constantFrom(undefined, [1n]),
          most: fc.constantFrom(undefined, 2),
        }),
        async (values, groupBy, { least, prefix, most }) => {
          await db.clear()
          await things.insertMany(values.map((one, i) => [[BigInt(i % 2), i], one] as const))
          const selected = values.filter((one, i) => {
            if (prefix !== undefined && i % 2 !== 1) return false
            return least === undefined || one.n >= least
          })
          const query = {
            ...figures,
            ...(least !== undefined && { where: { n: { gte: least } } }),
            ...(prefix && { prefix: [1n] as const }),
          }
          expectFigures((await things.aggregate(query)) as never, selected)

          const having = most === undefined ? {} : { having: { count: { lte: most } } }
          const orderBy = { count: 'desc' } as const
          const found = await things.aggregate({ ...query, groupBy, ...having, orderBy })
          const expected = groupsOf(selected, groupBy).filter((group) => group.values.length <= (most ?? 10))
          const sizes = found.map(({ count }) => count)
          expect(sizes).toEqual(expected.map((group) => group.values.length).sort((a, b) => b - a))
          for (const one of found) {
            const group = one.group as Record<string, unknown>
            const text = groupBy.map((path) => identity(at({ found: group[path] }, 'found'))).join('|')
            const same = expected.find(({ identity }) => identity === text)
            expect(
              same,
              `no group ${text} of ${expected.map(({ identity }) => identity).join(', ')}`,
            ).toBeDefined()
            expectFigures(one as never, same!.values)
          }
        },
      ),
      { numRuns: name === 'sqlite' ? extent('queries', 20, 150) : extent('queries', 8, 50) },
    )
    await db.close()
  },
)
