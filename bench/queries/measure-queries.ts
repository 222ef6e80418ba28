import { type Outcomes, outcomesOf, type RaceOptions, race } from '../harness/race.ts'
import { wantedLoads } from '../harness/task.ts'
import { type TemporaryFolder, temporaryFolder } from '../harness/temporary-folder.ts'
import { loadCities } from '../values/cities.ts'
import { byHand } from './by-hand.ts'
import { drizzleOrm, untoldDrizzle } from './drizzle.ts'
import { type IndexedCities, indexCities } from './indexed-cities.ts'
import type { OpenQueries, Queries } from './queries.ts'
import { tasksOf } from './query-tasks.ts'
import { repository } from './repository.ts'
import { type QueryTask, queryLoads, slowQueryLoads } from './tasks.ts'

const fewCities = 1_000

const contenders: readonly OpenQueries[] = [byHand, repository, drizzleOrm]

/** What the queries took, in the order `by hand`, `valkeyrie repository`, `Drizzle`. */
export interface QueryTimes {
  /** Among the first cities, and among all. */
  readonly sizes: readonly { readonly rows: number; readonly outcomes: Outcomes<QueryTask> }[]
  /** Of Drizzle among all cities, where no index is named. */
  readonly untold: Outcomes<QueryTask>
}

export const queryContenders = ['by hand', 'valkeyrie repository', 'Drizzle'] as const

export async function measureQueries(
  rounds: number,
  wants: (task: QueryTask) => boolean,
  options: RaceOptions,
): Promise<QueryTimes> {
  using temporary = temporaryFolder()
  options.onTask?.('load the cities')
  const [few, all] = await indexFewAndAll(temporary)
  const opened: Queries[] = []
  const racer = async (open: OpenQueries, indexed: IndexedCities) => {
    const queries = await open(indexed.copy())
    opened.push(queries)
    return { name: `${indexed.rows} rows`, tasks: tasksOf(queries, indexed) }
  }
  try {
    const racers = []
    for (const indexed of [few, all]) {
      for (const open of contenders) racers.push(await racer(open, indexed))
    }
    const outcomes = await race(racers, wantedLoads(queryLoads(rounds), wants), options)
    const untold = await race([await racer(untoldDrizzle, all)], wantedLoads(slowQueryLoads, wants), options)
    return {
      sizes: [
        { rows: few.rows, outcomes: outcomesOf(outcomes, 0, contenders.length) },
        { rows: all.rows, outcomes: outcomesOf(outcomes, contenders.length, contenders.length) },
      ],
      untold,
    }
  } finally {
    for (const queries of opened) await queries.close()
  }
}

async function indexFewAndAll(temporary: TemporaryFolder): Promise<[IndexedCities, IndexedCities]> {
  const cities = loadCities()
  return [await indexCities(cities.slice(0, fewCities), temporary), await indexCities(cities, temporary)]
}
