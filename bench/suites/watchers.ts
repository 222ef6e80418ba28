import type { Store } from '../contenders/contender.ts'
import { watchTask } from '../contenders/store-tasks.ts'
import type { Racer } from '../harness/race.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { atMost } from '../report/bound.ts'
import { lineChart, microsecondsOf } from '../report/chart.ts'
import { formatCount } from '../report/figures.ts'
import { suite } from '../report/suite.ts'
import { table } from '../report/table.ts'
import { userSizes } from '../values/user.ts'
import { Users } from '../values/users.ts'

const counts = [0, 10, 1_000]
const tasks = {
  'watchers of other rows': { n: 1_000, least: 5 },
  'watchers of the row': { n: 50, least: 2 },
}
/** How many times as long as with none a set may take while so many watch other rows. */
const bound = 1.2

export const watchers = suite({
  name: 'watchers',
  async measure(run) {
    using temporary = temporaryFolder()
    const users = new Users({ ...userSizes[0]!, stored: Math.max(...counts) })
    const stores: Record<string, Store> = {}
    try {
      for (const { name, open } of run.contenders.present) {
        const store = await open(temporary.folder(name), users, 'normal')
        if (store.watch === undefined) {
          await store.close()
          continue
        }
        stores[name] = store
        await store.load(users.entries(users.size.stored))
      }
      const racers: Record<string, Racer> = {}
      for (const count of counts)
        for (const [name, store] of Object.entries(stores))
          racers[`${name}, ${count}`] = {
            'watchers of other rows': watchTask(store, users, count, 'other rows'),
            'watchers of the row': watchTask(store, users, count, 'the row'),
          }
      const outcomes = await run.race(racers, tasks, run.fewerRounds)
      return { contenders: Object.keys(stores), outcomes }
    } finally {
      for (const store of Object.values(stores)) await store.close()
    }
  },
  report({ contenders, outcomes }) {
    const of = (task: string, contender: string, count: number) => outcomes[task]?.[`${contender}, ${count}`]
    const [fewest, most] = [counts[0]!, counts.at(-1)!]
    return [
      {
        title: 'Watching',
        blocks: [
          'An awaited set while rows are watched: others, or the one that is written. In the second case its time ends when all watchers have seen the new value.',
          table(
            ['', ...contenders],
            Object.keys(tasks).flatMap((task) =>
              counts.map((count) => [
                `${formatCount(count)} ${task}`,
                ...contenders.map((name) => of(task, name, count)),
              ]),
            ),
          ),
        ],
        chart: lineChart({
          name: 'watchers',
          description: 'What a write takes while so many watch',
          x: { title: 'watchers' },
          panels: Object.keys(tasks).map((task) => ({
            title: task,
            y: { title: 'µs', isLogarithmic: true },
            points: microsecondsOf(contenders, counts, (name, count) => of(task, name, count)),
          })),
        }),
        bounds: [
          atMost(bound, {
            what: `set, ${most} watchers of other rows`,
            against: `${fewest} watchers`,
            own: of('watchers of other rows', 'valkeyrie', most),
            other: of('watchers of other rows', 'valkeyrie', fewest),
          }),
        ],
      },
    ]
  },
})
