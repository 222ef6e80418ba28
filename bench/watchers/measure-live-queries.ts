import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { expectEqual } from '../harness/expect-equal.ts'
import { type Outcome, type RaceOptions, race } from '../harness/race.ts'
import type { Load, Task } from '../harness/task.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { userSchema, userSizes } from '../values/user.ts'
import { Users } from '../values/users.ts'

export type LiveQueryTask = 'page by an index' | 'page without an index'

/** What each of many readers asks for: twenty of a thousand users. */
const liveQueries: Readonly<
  Record<
    LiveQueryTask,
    { readonly orderBy: { readonly [field in 'age' | 'about']?: 'asc' | 'desc' }; readonly limit: 20 }
  >
> = {
  'page by an index': { orderBy: { age: 'desc' }, limit: 20 },
  'page without an index': { orderBy: { about: 'asc' }, limit: 20 },
}

/** What a write takes until so many readers of one query have seen it. */
export interface LiveQueryTimes {
  readonly counts: readonly number[]
  /** For each count. */
  readonly outcomes: Readonly<Record<LiveQueryTask, readonly Outcome[]>>
}

const users = new Users({ ...userSizes[0]!, stored: 1_000 })
const load = (rounds: number): Load => ({ n: 50, least: 2, rounds })

export async function measureLiveQueries(
  counts: readonly number[],
  rounds: number,
  options: RaceOptions,
): Promise<LiveQueryTimes> {
  using temporary = temporaryFolder()
  await using db = await openUsers(join(temporary.folder('live'), 'users.db'))
  await db.repositories.users.insertMany(users.entries(users.size.stored))
  const tasks = Object.keys(liveQueries) as LiveQueryTask[]
  const racers = counts.map((count) => ({
    name: String(count),
    tasks: Object.fromEntries(tasks.map((task) => [task, liveQueryTask(db, task, count)])) as Record<
      LiveQueryTask,
      Task
    >,
  }))
  const loads = Object.fromEntries(tasks.map((task) => [task, load(rounds)])) as Record<LiveQueryTask, Load>
  const outcomes = await race(racers, loads, options)
  return { counts, outcomes: outcomes as Record<LiveQueryTask, readonly Outcome[]> }
}

const openUsers = (path: string) =>
  Valkeyrie.withSchema(['users', '*'], userSchema, { name: 'users', indexes: [{ on: 'age' }] }).open(path)

/** Writes to a row of the page, each of which is done when so many readers have seen it. */
function liveQueryTask(
  db: Awaited<ReturnType<typeof openUsers>>,
  task: LiveQueryTask,
  readers: number,
): Task {
  const rows = db.repositories.users
  const user = { ...users.at(0), age: 1_000, about: '' }
  let email = 0
  const next = () => ({ ...user, email: `${++email}@example.com` })

  return async (n) => {
    await rows.set('first', next())
    const reading = Array.from({ length: readers }, () => rows.watchMany(liveQueries[task]).getReader())
    const seen = async (reader: (typeof reading)[number]) => {
      while ((await reader.read()).value?.[0]?.value.email !== `${email}@example.com`);
    }
    await Promise.all(reading.map(seen))
    return {
      async run() {
        for (let i = 0; i < n; i++) {
          const value = next()
          const allSeen = Promise.all(reading.map(seen))
          await rows.set('first', value)
          await allSeen
        }
      },
      async verify() {
        for (const reader of reading) await reader.cancel()
        const [found] = await rows.findMany(liveQueries[task])
        expectEqual(found?.value.email, `${email}@example.com`, 'the row written last')
      },
    }
  }
}
