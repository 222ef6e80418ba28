import { watchTask } from '../comparison/watch-task.ts'
import type { Contender, Store } from '../contenders/contender.ts'
import { type Outcome, type RaceOptions, race } from '../harness/race.ts'
import type { Load, Task } from '../harness/task.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { userSizes } from '../values/user.ts'
import { Users } from '../values/users.ts'
import { quietWatchTask } from './quiet-watch-task.ts'

export type WatchTask = 'watchers of other rows' | 'watchers of the row'

/** What a write takes with so many watchers, by each contender that has any. */
export interface WatcherTimes {
  readonly contenders: readonly string[]
  readonly counts: readonly number[]
  /** For each count a list in the order of the contenders. */
  readonly outcomes: Readonly<Record<WatchTask, readonly (readonly Outcome[])[]>>
}

const loads = (rounds: number): Record<WatchTask, Load> => ({
  'watchers of other rows': { n: 1_000, least: 5, rounds },
  'watchers of the row': { n: 50, least: 2, rounds },
})

export async function measureWatchers(
  contenders: readonly Contender[],
  counts: readonly number[],
  rounds: number,
  options: RaceOptions,
): Promise<WatcherTimes> {
  using temporary = temporaryFolder()
  const users = new Users({ ...userSizes[0]!, stored: Math.max(...counts) })
  const stores: { readonly name: string; readonly store: Store }[] = []
  try {
    for (const { name, open } of contenders) {
      const store = await open(temporary.folder(name), users, 'normal')
      await store.load(users.entries(users.size.stored))
      stores.push({ name, store })
    }
    const watched = stores.filter(({ store }) => store.watch !== undefined)
    const racers = counts.flatMap((count) =>
      watched.map(({ name, store }) => ({ name, tasks: tasksOf(store, users, count) })),
    )
    const outcomes = await race(racers, loads(rounds), options)
    const byCount = (task: WatchTask) =>
      counts.map((_, i) => outcomes[task]!.slice(i * watched.length, (i + 1) * watched.length))
    return {
      contenders: watched.map(({ name }) => name),
      counts,
      outcomes: {
        'watchers of other rows': byCount('watchers of other rows'),
        'watchers of the row': byCount('watchers of the row'),
      },
    }
  } finally {
    for (const { store } of stores) await store.close()
  }
}

const tasksOf = (store: Store, users: Users, count: number): Record<WatchTask, Task> => ({
  'watchers of other rows': quietWatchTask(store, users, count),
  'watchers of the row': watchTask(store, users, count),
})
