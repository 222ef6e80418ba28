// What watching costs, in the order in which a program meets it: watched sets, live queries, changes of other processes.
import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { closeStore } from '../contenders/contender.ts'
import { watchTask } from '../contenders/store-tasks.ts'
import { expectEqual } from '../harness/calls.ts'
import { startChild } from '../harness/child.ts'
import type { Racer, Task } from '../harness/race.ts'
import { quantile } from '../harness/timing.ts'
import type { Change, WatchedFile } from '../programs/watched-file.ts'
import { atMost, within } from '../report/bound.ts'
import { lineChart, microsecondsOf } from '../report/chart.ts'
import { formatCount, formatDuration, formatNumberOf, milliseconds } from '../report/figures.ts'
import { suite, table } from '../report/suite.ts'
import { userSchema, userSizes } from '../values/user.ts'
import { Users } from '../values/users.ts'

const users = new Users({ ...userSizes[0]!, stored: 1_000 })

const counts = [0, 10, 1_000]
const tasks = {
  'watchers of other rows': { n: 1_000, least: 5 },
  'watchers of the row': { n: 50, least: 2 },
}
/** How many times as long as with none a set may take while so many watch other rows. */
const watched = 1.2

export const watchers = suite({
  name: 'watchers',
  async measure({ contenders, race, fewerRounds, temporary }) {
    await using opened = new AsyncDisposableStack()
    const names: string[] = []
    const racers: Record<string, Racer> = {}
    for (const { name, open } of contenders.present) {
      const store = opened.adopt(await open(temporary.folder(name), users, 'normal'), closeStore)
      if (store.watch === undefined) continue
      names.push(name)
      await store.load(users.entries(users.size.stored))
      for (const count of counts)
        racers[`${name}, ${count}`] = {
          'watchers of other rows': watchTask(store, users, count, 'other rows'),
          'watchers of the row': watchTask(store, users, count, 'the row'),
        }
    }
    return { contenders: names, outcomes: await race(racers, tasks, fewerRounds) }
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
          atMost(watched, {
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

const openUsers = (path: string) =>
  Valkeyrie.withSchema(['users', '*'], userSchema, { name: 'users', indexes: [{ on: 'age' }] }).open(path)

type Rows = Awaited<ReturnType<typeof openUsers>>['repositories']['users']

const readers = [1, 10, 1_000]
/** What each of many readers asks for: twenty of a thousand users. */
const byIndex = (rows: Rows) => rows.watchMany({ orderBy: { age: 'desc' }, limit: 20 })
const withoutIndex = (rows: Rows) => rows.watchMany({ orderBy: { about: 'asc' }, limit: 20 })

type LiveRows = ReturnType<Rows['watchMany']>

/** What reads a live result, by hand or as a loop does. */
interface LiveReader {
  read(): Promise<IteratorResult<readonly { readonly value: { readonly email: string } }[], unknown>>
  stop(): Promise<unknown>
}

function readerOf(live: LiveRows): LiveReader {
  const reader = live.getReader()
  return { read: () => reader.read(), stop: () => reader.cancel() }
}

function loopOf(live: LiveRows): LiveReader {
  const iterator = live[Symbol.asyncIterator]()
  return { read: () => iterator.next(), stop: async () => iterator.return?.() }
}

const follows: Readonly<Record<string, (rows: Rows) => LiveReader>> = {
  'page by an index': (rows) => readerOf(byIndex(rows)),
  'page without an index': (rows) => readerOf(withoutIndex(rows)),
  'page by an index, in a loop': (rows) => loopOf(byIndex(rows)),
}
/** How many times as long as with one reader a write may take until a thousand of its query have read what is new. */
const followed = 3

export const liveQueries = suite({
  name: 'watchers',
  async measure({ race, fewerRounds, temporary }) {
    await using db = await openUsers(join(temporary.path, 'users.db'))
    const rows = db.repositories.users
    await rows.insertMany(users.entries(users.size.stored))
    const racers = readers.map((count) => {
      const tasks = Object.entries(follows).map(([name, follow]) => [
        name,
        liveQueryTask(rows, follow, count),
      ])
      return [count, Object.fromEntries(tasks)]
    })
    const loads = Object.keys(follows).map((task) => [task, { n: 50, least: 2 }])
    return await race(Object.fromEntries(racers), Object.fromEntries(loads), fewerRounds)
  },
  report(outcomes) {
    const [fewest, most] = [readers[0]!, readers.at(-1)!]
    return [
      {
        title: 'Live queries',
        blocks: [
          'An awaited set of a row in the result of `watchMany`, until all who follow the query have read the new result: twenty of a thousand users.',
          table(
            ['', ...readers.map((count) => formatNumberOf(count, 'reader', 'readers'))],
            Object.entries(outcomes).map(([task, of]) => [task, ...readers.map((count) => of[count])]),
          ),
        ],
        bounds: Object.entries(outcomes).map(([task, of]) =>
          atMost(followed, {
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
function liveQueryTask(rows: Rows, follow: (rows: Rows) => LiveReader, readers: number): Task {
  const user = { ...users.at(0), age: 1_000, about: '' }
  let count = 0
  // The readers compare the text, and need not make it.
  let email = ''
  const next = () => {
    email = `${++count}@example.com`
    return { ...user, email }
  }

  return async (n) => {
    await rows.set('first', next())
    const reading = Array.from({ length: readers }, () => follow(rows))
    const seen = async (reader: LiveReader) => {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) throw new Error('a live result has ended')
        if (value[0]?.value.email === email) return
      }
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
        for (const reader of reading) await reader.stop()
        expectEqual((await rows.get('first')).value?.email, email, 'the row written last')
      },
    }
  }
}

/** Milliseconds until a change of another process is seen, and the share of a core that an idle watcher may take. */
const noticed = { median: 10, slowest: 50, idle: 0.01 }
const percent = (share: number) => `${(share * 100).toFixed(2)}%`

export const noticing = suite({
  name: 'watchers',
  async measure({ step, temporary }) {
    const path = join(temporary.path, 'watched.db')
    step('changes of another process')
    const seen = await noticeChanges(path, 1_000)
    step('an idle watcher')
    using child = await startChild<WatchedFile>('watched-file')
    return { ...seen, idle: await child.call('watchIdly', path) }
  },
  report: ({ median, slowest, idle }) => [
    {
      title: 'Changes of other processes',
      blocks: [
        'From the moment before a set, in another process that makes one every few milliseconds, until a watcher has the new value; and the share of a core that a watcher takes while nothing happens.',
        table(
          ['median', '99 of 100 within', 'idle'],
          [[formatDuration(median * 1e6), formatDuration(slowest * 1e6), percent(idle)]],
        ),
      ],
      bounds: [
        within('a change of another process is seen, median', median, noticed.median, milliseconds(1)),
        within('99 of 100 changes', slowest, noticed.slowest, milliseconds(1)),
        within('an idle watcher', idle, noticed.idle, (share) => `${percent(share)} of a core`),
      ],
    },
  ],
})

/**
 * How soon a watcher sees so many changes of another process, in ms; `slowest` is the 99th of 100. One that was overwritten
 * before it was seen has no time of its own.
 */
export async function noticeChanges(
  path: string,
  changes: number,
): Promise<{ readonly median: number; readonly slowest: number }> {
  await using db = await Valkeyrie.open(path)
  using child = await startChild<WatchedFile>('watched-file')
  const writing = child.call('change', path, changes)
  const latencies: number[] = []
  for await (const [{ value }] of db.watch([['watched']])) {
    if (value === null) continue
    const { n, at } = value as Change
    latencies.push(Number(process.hrtime.bigint()) / 1e6 - at)
    if (n === changes) break
  }
  await writing
  latencies.sort((a, b) => a - b)
  return { median: quantile(latencies, 0.5), slowest: quantile(latencies, 0.99) }
}
