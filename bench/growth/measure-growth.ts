import { type Outcomes, outcomesOf, type RaceOptions, race } from '../harness/race.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { byHand, type GrowingStore, repository } from './growing-store.ts'
import { tasksOf } from './growth-tasks.ts'
import { People } from './people.ts'
import { type GrowthTask, growthLoads } from './tasks.ts'

/** What the tasks took among so many rows, by hand and with this library. */
export interface GrowthTimes {
  readonly rows: number
  readonly outcomes: Outcomes<GrowthTask>
}

export const growthContenders = ['by hand', 'valkeyrie repository'] as const

export async function measureGrowth(
  sizes: readonly number[],
  rounds: number,
  options: RaceOptions,
): Promise<readonly GrowthTimes[]> {
  using temporary = temporaryFolder()
  const stores: GrowingStore[] = []
  try {
    const racers = []
    for (const rows of sizes) {
      options.onTask?.(`load ${rows.toLocaleString('en')} rows`)
      const people = new People(rows)
      for (const open of [byHand, repository]) {
        const store = await open(temporary.folder('growth'))
        stores.push(store)
        await store.load(people.entries())
        racers.push({ name: `${rows}`, tasks: tasksOf(store, people) })
      }
    }
    const outcomes = await race(racers, growthLoads(rounds), options)
    return sizes.map((rows, i) => ({
      rows,
      outcomes: outcomesOf(outcomes, i * growthContenders.length, growthContenders.length),
    }))
  } finally {
    for (const store of stores) await store.close()
  }
}
