import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { expectEqual } from '../harness/expect-equal.ts'
import type { Task } from '../harness/race.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { atMost } from '../report/bound.ts'
import { formatNumberOf } from '../report/figures.ts'
import { suite } from '../report/suite.ts'
import { table } from '../report/table.ts'
import { userSchema, userSizes } from '../values/user.ts'
import { Users } from '../values/users.ts'

const openUsers = (path: string) =>
  Valkeyrie.withSchema(['users', '*'], userSchema, { name: 'users', indexes: [{ on: 'age' }] }).open(path)

type Rows = Awaited<ReturnType<typeof openUsers>>['repositories']['users']

const counts = [1, 10, 1_000]
/** What each of many readers asks for: twenty of a thousand users. */
const queries = {
  'page by an index': (rows: Rows) => rows.watchMany({ orderBy: { age: 'desc' }, limit: 20 }),
  'page without an index': (rows: Rows) => rows.watchMany({ orderBy: { about: 'asc' }, limit: 20 }),
}
/** How many times as long as with one reader a write may take until a thousand of its query have read what is new. */
const bound = 3

export const liveQueries = suite({
  name: 'watchers',
  async measure(run) {
    using temporary = temporaryFolder()
    const users = new Users({ ...userSizes[0]!, stored: 1_000 })
    await using db = await openUsers(join(temporary.path, 'users.db'))
    await db.repositories.users.insertMany(users.entries(users.size.stored))
    const racers = counts.map((count) => {
      const tasks = Object.entries(queries).map(([name, query]) => [
        name,
        liveQueryTask(db.repositories.users, query, count, users),
      ])
      return [count, Object.fromEntries(tasks)]
    })
    const loads = Object.keys(queries).map((task) => [task, { n: 50, least: 2 }])
    return await run.race(Object.fromEntries(racers), Object.fromEntries(loads), run.fewerRounds)
  },
  report(outcomes) {
    const [fewest, most] = [counts[0]!, counts.at(-1)!]
    return [
      {
        title: 'Live queries',
        blocks: [
          'An awaited set of a row in the result of `watchMany`, until all who follow the query have read the new result: twenty of a thousand users.',
          table(
            ['', ...counts.map((count) => formatNumberOf(count, 'reader', 'readers'))],
            Object.entries(outcomes).map(([task, of]) => [task, ...counts.map((count) => of[count])]),
          ),
        ],
        bounds: Object.entries(outcomes).map(([task, of]) =>
          atMost(bound, {
            what: `live query, ${task}, ${most} readers`,
            against: `${fewest} reader`,
            own: of[most],
            other: of[fewest],
          }),
        ),
      },
    ]
  },
})

/** Writes to a row of the page, each of which is done when so many readers have seen it. */
function liveQueryTask(
  rows: Rows,
  watchMany: (rows: Rows) => ReturnType<Rows['watchMany']>,
  readers: number,
  users: Users,
): Task {
  const user = { ...users.at(0), age: 1_000, about: '' }
  let email = 0
  const next = () => ({ ...user, email: `${++email}@example.com` })

  return async (n) => {
    await rows.set('first', next())
    const reading = Array.from({ length: readers }, () => watchMany(rows).getReader())
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
        expectEqual((await rows.get('first')).value?.email, `${email}@example.com`, 'the row written last')
      },
    }
  }
}
