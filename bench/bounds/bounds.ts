import type { Comparison } from '../comparison/compare.ts'
import type { ComparisonTask } from '../comparison/tasks.ts'
import { type GrowthTimes, growthContenders } from '../growth/measure-growth.ts'
import type { GrowthTask } from '../growth/tasks.ts'
import { type QueryTimes, queryContenders } from '../queries/measure-queries.ts'
import type { QueryTask } from '../queries/tasks.ts'
import type { Results } from '../results.ts'
import { atMost, type Bound, timesFaster } from './bound.ts'

type Limits<Task extends string> = Readonly<Partial<Record<Task, number>>>

/** How many times as long as by hand a task may take, by key and by repository. */
const ofByHand: Limits<ComparisonTask> = {
  get: 1.4,
  list: 1.4,
  set: 1.4,
  'sets at once': 1.6,
  'atomic of 500': 2,
  'unit of work': 2,
  'bulk load': 2,
}

/** How many times as long as this library others take, with small values: of large ones, all encode the same. */
const fasterThan: Readonly<Record<string, Limits<ComparisonTask>>> = {
  'valkeyrie 0.8': { get: 3, set: 3.5, 'sets at once': 8, 'atomic of 500': 4, list: 2 },
  '@deno/kv': { get: 12, set: 12 },
  'Drizzle anew': { get: 5 },
}

const queryOfByHand = 1.6
const queryFasterThanDrizzle = 5
/** How many times as long as among the first thousand cities a query may take among all. */
const queryGrowth = 1.5

/** How many times as long as among the fewest rows a task may take among the most. */
const growth: Limits<GrowthTask> = { get: 2, 'indexed page of 20': 2 }

/** The most memory that iterating over all cities may take, in MB. */
const memory = 60

/** Every bound on what was measured. */
export function boundsOf({ comparisons, queries, growth: grown, memory: megabytes }: Results): Bound[] {
  return [
    ...comparisons.flatMap(boundsByHand),
    ...comparisons.slice(0, 1).flatMap(boundsOfOthers),
    ...(queries === null ? [] : queryBounds(queries)),
    ...(grown === null ? [] : growthBounds(grown)),
    ...(megabytes === null ? [] : [memoryBound(megabytes)]),
  ]
}

const boundsByHand = (comparison: Comparison): Bound[] => [
  ...comparisonBounds(comparison, 'valkeyrie', 'by hand', ofByHand, atMost),
  ...comparisonBounds(comparison, 'valkeyrie repository', 'by hand', ofByHand, atMost),
]

const boundsOfOthers = (comparison: Comparison): Bound[] =>
  Object.entries(fasterThan).flatMap(([other, limits]) =>
    comparisonBounds(comparison, 'valkeyrie', other, limits, timesFaster),
  )

function comparisonBounds(
  { size, contenders, outcomes }: Comparison,
  own: 'valkeyrie' | 'valkeyrie repository',
  against: string,
  limits: Limits<ComparisonTask>,
  bound: typeof atMost,
): Bound[] {
  const face = own === 'valkeyrie' ? '' : ' by repository'
  return entriesOf(limits).flatMap(([task, limit]) => {
    const of = outcomes[task]
    if (of === undefined) return []
    const compared = {
      what: `${task}${face}, ${size.name}`,
      against,
      own: of[contenders.indexOf(own)],
      other: of[contenders.indexOf(against)],
    }
    return [bound(limit, compared)]
  })
}

function queryBounds({ sizes }: QueryTimes): Bound[] {
  const [few, all] = [sizes[0]!, sizes.at(-1)!]
  const place = (contender: (typeof queryContenders)[number]) => queryContenders.indexOf(contender)
  return (Object.keys(all.outcomes) as QueryTask[]).flatMap((task) => {
    const outcomes = all.outcomes[task]!
    const own = outcomes[place('valkeyrie repository')]
    const other = (against: 'by hand' | 'Drizzle anew') => ({
      what: task,
      against,
      own,
      other: outcomes[place(against)],
    })
    return [
      atMost(queryOfByHand, other('by hand')),
      timesFaster(queryFasterThanDrizzle, other('Drizzle anew')),
      atMost(queryGrowth, {
        what: `${task}, ${all.rows} cities`,
        against: `${few.rows} cities`,
        own,
        other: few.outcomes[task]![place('valkeyrie repository')],
      }),
    ]
  })
}

function growthBounds(grown: readonly GrowthTimes[]): Bound[] {
  const [few, many] = [grown[0]!, grown.at(-1)!]
  const place = growthContenders.indexOf('valkeyrie repository')
  return entriesOf(growth).map(([task, limit]) =>
    atMost(limit, {
      what: `${task}, ${many.rows} rows`,
      against: `${few.rows} rows`,
      own: many.outcomes[task]?.[place],
      other: few.outcomes[task]?.[place],
    }),
  )
}

const memoryBound = (megabytes: number): Bound => ({
  what: 'memory to iterate over 135,233 cities',
  against: '',
  value: `${megabytes.toFixed(0)} MB`,
  limit: `at most ${memory} MB`,
  holds: megabytes <= memory,
})

const entriesOf = <Task extends string>(limits: Limits<Task>) => Object.entries(limits) as [Task, number][]
