import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { z } from 'zod'
import { handWritten, openTables } from '../contenders/by-hand.ts'
import { closeStore } from '../contenders/contender.ts'
import { checksum, expectEqual, reads, writes } from '../harness/calls.ts'
import type { Racer } from '../harness/race.ts'
import { atMost, timesAsLong } from '../report/bound.ts'
import { lineChart, microsecondsOf } from '../report/chart.ts'
import { formatCount, formatRatio } from '../report/figures.ts'
import { suite, table } from '../report/suite.ts'
import { userSchema, userWithNotes } from '../values/user.ts'

const pageRows = 20
const listedRows = 100

/** Each with how many times as much as by hand it may grow, from the fewest rows to the most: the engine's own caches are the same for both. */
const tasks = {
  get: { n: 5_000, least: 500, bound: 1.2 },
  'indexed page of 20': { n: 200, least: 20, bound: 1.2 },
  'list page of 100': { n: 50, least: 5 },
  set: { n: 2_000, least: 500 },
}
const shown = ['get', 'set', 'indexed page of 20', 'list page of 100']

/** A user with a score, by which they are indexed: no two have the same. */
const personSchema = userSchema.extend({ score: z.int() })

type Person = z.infer<typeof personSchema>

interface Found {
  readonly value: Person | null
}

type Answer<T> = T | Promise<T>

/** People by their ids and by their scores. */
interface GrowingStore {
  get(id: string): Answer<Found | null>
  set(id: string, person: Person): unknown
  /** The people of this score and more, in its order. */
  page(score: number): Answer<readonly Found[]>
  /** The people from this id on. */
  list(id: string): Answer<readonly Found[]>
  load(entries: Iterable<readonly [string, Person]>): unknown
  close(): unknown
}

async function repository(dir: string): Promise<GrowingStore> {
  const db = await Valkeyrie.withSchema(['users', '*'], personSchema, { indexes: [{ on: 'score' }] }).open(
    join(dir, 'users.db'),
  )
  const { users } = db.repositories
  return {
    get: (id) => users.get(id),
    set: (id, person) => users.set(id, person),
    page: (score) =>
      users.findMany({ where: { score: { gte: score } }, orderBy: { score: 'asc' }, limit: pageRows }),
    list: (id) => Array.fromAsync(users.list({ start: id }, { limit: listedRows })),
    load: (entries) => users.insertMany(entries),
    close: () => db.close(),
  }
}

function byHand(dir: string): GrowingStore {
  const db = openTables(dir, 'normal')
  db.exec(`CREATE INDEX IF NOT EXISTS kv_score ON kv (value ->> '$.score', key)`)
  const { get, set, load, close } = handWritten(db)
  const page = db
    .prepare(
      `SELECT key, value, version FROM kv WHERE value ->> '$.score' >= ?
       ORDER BY value ->> '$.score', key LIMIT ${pageRows}`,
    )
    .raw()
  const list = db
    .prepare(
      `SELECT key, value, version FROM kv WHERE key >= ? AND key < 'users0' ORDER BY key LIMIT ${listedRows}`,
    )
    .raw()
  const entry = (row: unknown) => {
    const [key, value, version] = row as [string, string, number]
    return { key, value: JSON.parse(value) as Person, version }
  }
  return {
    get: (id) => get(id) as Found | null,
    set,
    page: (score) => page.all(score).map(entry),
    list: (id) => list.all(`users/${id}`).map(entry),
    load,
    close,
  }
}

const contenders = { 'by hand': byHand, 'valkeyrie repository': repository }

export const growth = suite({
  name: 'growth',
  async measure(run) {
    const sizes = run.quick ? [10_000, 100_000] : [10_000, 100_000, 1_000_000]
    await using opened = new AsyncDisposableStack()
    const racers: Record<string, Racer> = {}
    for (const rows of sizes) {
      run.step(`load ${formatCount(rows)} rows`)
      const people = new People(rows)
      for (const [name, open] of Object.entries(contenders)) {
        const store = opened.adopt(await open(run.temporary.folder('growth')), closeStore)
        await store.load(people.entries())
        racers[`${name}, ${rows}`] = tasksOf(store, people)
      }
    }
    return { sizes, outcomes: await run.race(racers, tasks, run.fewerRounds) }
  },
  report({ sizes, outcomes }) {
    const [few, many] = [sizes[0]!, sizes.at(-1)!]
    const names = Object.keys(contenders)
    const of = (task: string, contender: string, rows: number) => outcomes[task]?.[`${contender}, ${rows}`]
    const growthOf = (task: string, contender: string) =>
      timesAsLong(of(task, contender, many), of(task, contender, few))
    return [
      {
        title: 'Growth',
        blocks: [
          'Rows of about 170 B with an index, read and written at places spread over the whole file.',
          table(
            ['', '', ...sizes.map((rows) => `${formatCount(rows)} rows`), 'growth'],
            shown.flatMap((task) =>
              names.map((name) => [
                task,
                name,
                ...sizes.map((rows) => of(task, name, rows)),
                formatRatio(of(task, name, many), of(task, name, few)),
              ]),
            ),
          ),
        ],
        chart: lineChart({
          name: 'growth',
          description: 'What a read or write takes as the rows become more',
          x: { title: 'rows', isLogarithmic: true },
          panels: shown.map((task) => ({
            title: task,
            y: { title: 'µs' },
            points: microsecondsOf(names, sizes, (name, count) => of(task, name, count)),
          })),
        }),
        bounds: (['get', 'indexed page of 20'] as const).map((task) =>
          atMost(tasks[task].bound, {
            what: `growth of ${task}, ${few} to ${many} rows`,
            against: 'by hand',
            own: growthOf(task, 'valkeyrie repository'),
            other: growthOf(task, 'by hand'),
          }),
        ),
      },
    ]
  },
})

/** The tasks of a store that holds these people. Each turn goes on where the last one stopped. */
function tasksOf(store: GrowingStore, people: People): Racer {
  let turns = 0
  const places = (n: number, behind = 0) => {
    const from = turns++ * n
    return Array.from({ length: n }, (_, i) => people.read(from + i, behind))
  }
  const scoresOf = (found: readonly Found[]) => checksum(found.map(({ value }) => value?.score ?? Number.NaN))
  return {
    get: reads({
      prepare: (n) => places(n).map((index) => ({ index, id: people.idAt(index) })),
      read: ({ id }) => store.get(id),
      sum: (found) => found?.value?.score ?? Number.NaN,
      expected: ({ index }) => people.at(index).score,
    }),
    'indexed page of 20': reads({
      prepare: (n) => places(n, pageRows).map((place) => ({ place, score: people.scores(place, 1)[0]! })),
      read: ({ score }) => store.page(score),
      sum: scoresOf,
      expected: ({ place }) => checksum(people.scores(place, pageRows)),
    }),
    'list page of 100': reads({
      prepare: (n) => places(n, listedRows).map((index) => ({ index, id: people.idAt(index) })),
      read: ({ id }) => store.list(id),
      sum: scoresOf,
      expected: ({ index }) =>
        checksum(Array.from({ length: listedRows }, (_, i) => people.at(index + i).score)),
    }),
    set: writes({
      prepare: (n) =>
        places(n).map((index) => [people.idAt(index), { ...people.at(index), age: 100 + turns }] as const),
      write: ([id, person]) => store.set(id, person),
      async verify(written) {
        for (const [id, person] of written)
          expectEqual((await store.get(id))?.value, person, `${id} as it was set`)
      },
    }),
  }
}

/** A stride that shares no factor with a number of people visits all of them, in an order that no file knows. */
const stride = 7_919

/** So many people: the same in every run. */
class People {
  readonly rows: number
  readonly #scores: Int32Array

  constructor(rows: number) {
    this.rows = rows
    this.#scores = Int32Array.from({ length: rows }, (_, index) => scoreAt(index)).sort()
  }

  at(index: number): Person {
    return { ...userWithNotes(index, 0), score: scoreAt(index) }
  }

  idAt(index: number): string {
    return `user-${String(index).padStart(8, '0')}`
  }

  *entries(): Generator<readonly [string, Person], void> {
    for (let index = 0; index < this.rows; index++) yield [this.idAt(index), this.at(index)]
  }

  /** Whom the `i`-th read finds, where `behind` more come after. */
  read(i: number, behind = 0): number {
    return (i * stride) % (this.rows - behind)
  }

  /** The scores in order from this place on. */
  scores(place: number, count: number): readonly number[] {
    return [...this.#scores.subarray(place, place + count)]
  }
}

/** A generator of pseudo-random numbers: its modulus is prime, so that they do not repeat. */
const scoreAt = (index: number) => Number((BigInt(index + 1) * 48_271n) % 2_147_483_647n)
