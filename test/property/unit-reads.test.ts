import fc from 'fast-check'
import { KvU64, Valkeyrie } from 'valkeyrie'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { extent } from '../extent.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { engines, type TestedEngine } from './engines.ts'

const path = temporaryFolder()
const ids = ['a', 'b', 'c', 'd', 'e'] as const
type Id = (typeof ids)[number]

type Step =
  | { readonly by: 'unit' | 'other'; readonly do: 'set' | 'update'; readonly id: Id; readonly n: number }
  | { readonly by: 'unit' | 'other'; readonly do: 'delete' | 'sum'; readonly id: Id }
  | { readonly by: 'other'; readonly do: 'clear' }
  | { readonly by: 'unit'; readonly do: 'read' }

const id = fc.constantFrom(...ids)
const by = fc.constantFrom('unit' as const, 'other' as const)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ by, do: fc.constantFrom('set' as const, 'update' as const), id, n: fc.nat({ max: 5 }) }),
  fc.record({ by, do: fc.constantFrom('delete' as const, 'sum' as const), id }),
  fc.record({ by: fc.constant('other' as const), do: fc.constant('clear' as const) }),
  { weight: 4, arbitrary: fc.record({ by: fc.constant('unit' as const), do: fc.constant('read' as const) }) },
)

/** What is stored: the numbers of the rows, and the counters. */
interface State {
  readonly rows: Map<Id, number>
  readonly counters: Map<Id, bigint>
}

function apply({ rows, counters }: State, step: Step): void {
  if (step.do === 'clear') {
    rows.clear()
    counters.clear()
  } else if (step.do === 'set') rows.set(step.id, step.n)
  else if (step.do === 'update' && rows.has(step.id)) rows.set(step.id, step.n)
  else if (step.do === 'delete') rows.delete(step.id)
  else if (step.do === 'sum') counters.set(step.id, (counters.get(step.id) ?? 0n) + 1n)
}

const schemas = Valkeyrie.withSchema(['rows', '*'], z.object({ n: z.int() }), {
  indexes: [{ on: 'n' }],
}).withSchema(['counters', '*'], z.instanceof(KvU64))

type Db = Awaited<ReturnType<typeof schemas.open>>
type Face = Pick<Db, 'repositories' | 'get' | 'getMany' | 'list'>

async function perform({ repositories: { rows, counters } }: Face, step: Step): Promise<void> {
  if (step.do === 'set') await rows.set(step.id, { n: step.n })
  else if (step.do === 'update') await rows.update(step.id, { n: step.n }).catch(() => {})
  else if (step.do === 'delete') await rows.delete(step.id)
  else if (step.do === 'sum') await counters.sum(step.id, 1n)
}

async function seen(unit: Face) {
  const { rows, counters } = unit.repositories
  const found = await rows.findMany({ where: { n: { gte: 2 } }, orderBy: { n: 'desc' }, limit: 3 })
  return {
    list: await Array.fromAsync(rows.list(), ({ id, value }) => [id, value.n]),
    reverse: await Array.fromAsync(
      unit.list({ prefix: ['rows'] }, { reverse: true, limit: 2 }),
      ({ key }) => key[1],
    ),
    found: found.map(({ id, value }) => [id, value.n]),
    count: await rows.count(),
    even: await rows.count({ where: { n: { in: [0, 2, 4] } } }),
    either: await rows.count({ where: { OR: [{ $id: { in: ['a', 'c'] }, n: { gte: 2 } }, { $id: 'd' }] } }),
    sum: ((await rows.aggregate({ sum: 'n' })) as { sum: { n: number | null } }).sum.n ?? 0,
    get: (await rows.get('a')).value?.n ?? null,
    getMany: (await rows.getMany(ids)).map(({ value }) => value?.n ?? null),
    counters: (await counters.getMany(ids)).map(({ value }) => value?.value ?? null),
    counted: await counters.count(),
  }
}

function expected({ rows, counters }: State) {
  const all = ids.filter((id) => rows.has(id)).map((id) => [id, rows.get(id)!] as const)
  return {
    list: all,
    reverse: all
      .map(([id]) => id)
      .reverse()
      .slice(0, 2),
    found: all
      .filter(([, n]) => n >= 2)
      .sort(([a, m], [b, n]) => n - m || (a < b ? 1 : -1))
      .slice(0, 3),
    count: all.length,
    even: all.filter(([, n]) => n % 2 === 0 && n <= 4).length,
    either: all.filter(([id, n]) => id === 'd' || ((id === 'a' || id === 'c') && n >= 2)).length,
    sum: all.reduce((sum, [, n]) => sum + n, 0),
    get: rows.get('a') ?? null,
    getMany: ids.map((id) => rows.get(id) ?? null),
    counters: ids.map((id) => counters.get(id) ?? null),
    counted: counters.size,
  }
}

const places: readonly (readonly [string, number, TestedEngine['place']])[] = [
  ['a file', extent('units in a file', 12, 150), () => [path(), {}]],
  ...engines.map(
    ({ name, place }) =>
      [
        name,
        name === 'sqlite' ? extent('units on sqlite', 20, 150) : extent('units on postgres', 8, 50),
        place,
      ] as const,
  ),
]

describe.each(places)('on %s', (_name, numRuns, place) => {
  it('a unit of work reads the state of its first read, with what it has written itself', async () => {
    await using db = await schemas.open(...place())
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 12 }),
        fc.array(step, { minLength: 1, maxLength: 16 }),
        async (before, during) => {
          await db.clear()
          const stored: State = { rows: new Map(), counters: new Map() }
          for (const one of before) {
            if (one.do === 'read' || one.do === 'clear') continue
            await perform(db, one)
            apply(stored, one)
          }
          const unseen = new Error('nothing is committed')
          const run = db.unitOfWork(async (unit) => {
            await unit.get(['rows', 'z'])
            const state: State = { rows: new Map(stored.rows), counters: new Map(stored.counters) }
            for (const one of during) {
              if (one.do === 'read') expect(await seen(unit)).toEqual(expected(state))
              else if (one.by === 'other') await (one.do === 'clear' ? db.clear() : perform(db, one))
              else {
                await perform(unit, one)
                apply(state, one)
              }
            }
            expect(await seen(unit)).toEqual(expected(state))
            throw unseen
          })
          await expect(run).rejects.toBe(unseen)
        },
      ),
      { numRuns },
    )
  })
})
