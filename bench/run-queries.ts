import type { City } from './cities.ts'
import { formatTable, formatTiming, race } from './harness.ts'
import { indexCities } from './indexed-cities.ts'
import { queryContenders, untoldDrizzle } from './query-contenders.ts'
import { queryBounds, queryLoads, slowQueryLoads } from './query-tasks.ts'

const fewCities = 1_000

/** The timings of the indexed queries, among the first cities and among all, and whether their bounds hold. */
export interface QueryReport {
  readonly tables: readonly string[]
  readonly holds: boolean
}

export async function measureQueries(cities: readonly City[]): Promise<QueryReport> {
  const few = await indexCities(cities.slice(0, fewCities))
  const all = await indexCities(cities)
  try {
    const timings = await race([...queryContenders(few), ...queryContenders(all)], queryLoads)
    const untold = await race([untoldDrizzle(all)], slowQueryLoads)
    const costs = [['task', 'rows', 'by hand', 'valkeyrie', 'Drizzle anew', 'the same, no index named']]
    const bounds = [['task', 'ratio', 'value', 'bound', 'holds']]
    let holds = true
    const check = (task: string, ratio: string, value: number, bound: number) => {
      if (value > bound) holds = false
      bounds.push([task, ratio, `×${value.toFixed(2)}`, `×${bound}`, value <= bound ? 'yes' : 'NO'])
    }
    for (const task of Object.keys(queryLoads) as (keyof typeof queryLoads)[]) {
      const [handOfFew, ownOfFew, anewOfFew, hand, own, anew] = timings[task]
      costs.push([task, `${few.rows}`, ...[handOfFew!, ownOfFew!, anewOfFew!].map(formatTiming), ''])
      costs.push([task, `${all.rows}`, ...[hand!, own!, anew!, untold[task][0]!].map(formatTiming)])
      check(task, 'by hand', own!.median / hand!.median, queryBounds.byHand)
      check(task, 'of Drizzle anew', own!.median / anew!.median, queryBounds.builtAnew)
      check(task, 'growth', own!.median / ownOfFew!.median, queryBounds.growth)
      const growth = hand!.median / handOfFew!.median
      bounds.push([task, 'growth by hand', `×${growth.toFixed(2)}`, '', ''])
    }
    return { tables: [formatTable(costs), formatTable(bounds)], holds }
  } finally {
    await few.close()
    await all.close()
  }
}
