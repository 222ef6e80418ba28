import { channel } from 'node:diagnostics_channel'
import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { z } from 'zod'
import { expectEqual } from '../harness/calls.ts'
import type { Outcomes, Racer, Task } from '../harness/race.ts'
import { atMost } from '../report/bound.ts'
import { formatRatio } from '../report/figures.ts'
import { suite, table } from '../report/suite.ts'
import { userSchema, userSizes } from '../values/user.ts'
import { Users } from '../values/users.ts'

// What a call costs more with something that a database can have: checksums, listeners, indexes.

const users = new Users({ ...userSizes[0]!, stored: 500 })

/** How many times as long as with none a set may take beside as many indexes as a file is to have. */
const indexBound = { count: 100, limit: 3 }
const indexCounts = [0, 50, indexBound.count, 200, 400, 600]
const perCollection = 10

export const indexes = suite({
  name: 'indexes',
  async measure({ race, fewerRounds, temporary }) {
    await using opened = new AsyncDisposableStack()
    const racers: Record<string, Racer> = {}
    for (const count of indexCounts) {
      const db = opened.use(await openIndexed(join(temporary.folder('indexes'), 'users.db'), count))
      racers[count] = { set: setTask(db) }
    }
    const { set } = await race(racers, { set: { n: 200, least: 10 } }, fewerRounds)
    return set!
  },
  report: (set) => [
    {
      title: 'Indexes of other repositories',
      blocks: [
        'An awaited set in a file with so many indexes, none of which holds the row: SQLite opens all of them for each write.',
        table(['indexes', ...indexCounts.map(String)], [['set', ...indexCounts.map((count) => set[count])]]),
      ],
      bounds: [
        atMost(indexBound.limit, {
          what: `set, ${indexBound.count} indexes of other repositories`,
          against: 'no indexes',
          own: set[indexBound.count],
          other: set[0],
        }),
      ],
    },
  ],
})

function openIndexed(path: string, count: number) {
  const others = Array.from({ length: count / perCollection }, (_, i) => {
    const fields = Array.from({ length: perCollection }, (_, field) => `f${field}`)
    const schema = z.object(Object.fromEntries(fields.map((field) => [field, z.int()])))
    const indexes = fields.map((on) => ({ on })) as never
    return defineSchema([`other${i}`, '*'], schema, { name: `other${i}`, indexes })
  })
  return Valkeyrie.withSchemas(others).withSchema(['users', '*'], userSchema, { name: 'users' }).open(path)
}

function setTask(db: Awaited<ReturnType<typeof openIndexed>>): Task {
  const rows = db.repository(['users', '*'])
  let age = 0
  return (n) => ({
    async run() {
      for (let i = 0; i < n; i++) await rows.set(users.storedIds[i % 500]!, { ...users.at(i), age: ++age })
    },
    async verify() {
      const { value } = await rows.get(users.storedIds[(n - 1) % 500]!)
      expectEqual(value?.age, age, 'the age set last')
    },
  })
}

/** So many rows of each size that a connection does not keep them in memory: what is read from there was summed up before. */
const checked = [
  { bytes: 100, rows: 10_000 },
  { bytes: 1_000, rows: 3_000 },
  { bytes: 10_000, rows: 2_000 },
]

export const checksums = suite({
  name: 'checksums',
  async measure({ race, fewerRounds, step, temporary }) {
    const all: { readonly bytes: number; readonly outcomes: Outcomes }[] = []
    for (const { bytes, rows } of checked) {
      step(`values of ${bytes} bytes`)
      const folder = temporary.folder('checksums')
      await using without = await Valkeyrie.open(join(folder, 'without.db'))
      await using summed = await Valkeyrie.open(join(folder, 'with.db'), { checksums: true })
      const value = { text: 'x'.repeat(bytes - '{"text":""}'.length) }
      const racers = {
        without: valueTasks(without, value, rows),
        'with checksums': valueTasks(summed, value, rows),
      }
      const load = { n: rows }
      const outcomes = await race(racers, { set: load, get: load, 'list, a row': load }, fewerRounds)
      all.push({ bytes, outcomes })
    }
    return all
  },
  report: (all) => [
    {
      title: 'Checksums of values',
      blocks: [
        'What a call takes in a file that was created with `checksums: true`, beside one without: the value is summed up when it is written, and again each time that it is read from the file.',
        table(
          ['', 'bytes of a value', 'without', 'with checksums', 'ratio'],
          all.flatMap(({ bytes, outcomes }) =>
            Object.entries(outcomes).map(([task, { without, 'with checksums': summed }]) => [
              task,
              String(bytes),
              without,
              summed,
              formatRatio(summed, without),
            ]),
          ),
        ),
      ],
    },
  ],
})

/** Each task over all rows, one row a call but for the list. */
function valueTasks(db: Valkeyrie, value: object, rows: number): Racer {
  const keys = Array.from({ length: rows }, (_, n) => ['rows', `row-${n}`])
  const onEach =
    (call: (key: string[]) => Promise<unknown>): Task =>
    () => ({
      async run() {
        for (const key of keys) await call(key)
      },
      verify: async () => expectEqual((await db.get(keys.at(-1)!)).value, value, 'the last value'),
    })
  return {
    set: onEach((key) => db.set(key, value)),
    get: onEach((key) => db.get(key)),
    'list, a row': () => {
      let listed: unknown[] = []
      return {
        run: async () => {
          listed = await Array.fromAsync(db.list({ prefix: ['rows'] }))
        },
        verify: () => expectEqual(listed.length, rows, 'rows'),
      }
    },
  }
}

const phases = ['start', 'end', 'asyncStart', 'asyncEnd', 'error']
const channels = [
  ...['call', 'query', 'commit'].flatMap((name) =>
    phases.map((phase) => `tracing:valkeyrie:${name}:${phase}`),
  ),
  ...['conflict', 'retry', 'wait'].map((name) => `valkeyrie:${name}`),
]

export const tracing = suite({
  name: 'tracing',
  async measure({ race, rounds, temporary }) {
    await using db = await Valkeyrie.withSchema(['users', '*'], userSchema, {
      name: 'users',
      indexes: [{ on: 'age' }],
    }).open(join(temporary.path, 'users.db'))
    const rows = db.repository(['users', '*'])
    await rows.insertMany(users.entries(500))
    const racer = (isHeard: boolean): Racer => ({
      get: heardTask((i) => rows.get(users.storedIds[i % 500]!), isHeard),
      set: heardTask((i) => rows.set(users.storedIds[i % 500]!, users.at(i % 500)), isHeard),
      findMany: heardTask((i) => rows.findMany({ where: { age: i % 90 }, limit: 5 }), isHeard),
    })
    const least = 10
    const loads = { get: { n: 2_000, least }, set: { n: 200, least }, findMany: { n: 1_000, least } }
    return await race({ nobody: racer(false), somebody: racer(true) }, loads, rounds)
  },
  report: (outcomes) => [
    {
      title: 'Tracing',
      blocks: [
        'Awaited calls of a repository, of which `get` finds its rows in memory, while nobody listens to the [channels](tracing.md) of a database, and while somebody counts all that they tell.',
        table(
          ['who listens', ...Object.keys(outcomes)],
          ['nobody', 'somebody'].map((who) => [who, ...Object.values(outcomes).map((of) => of[who])]),
        ),
      ],
    },
  ],
})

/** Whether somebody listens is a matter of the whole process: so it is while the task runs only. */
function heardTask(call: (i: number) => Promise<unknown>, isHeard: boolean): Task {
  let told = 0
  const listener = () => {
    told += 1
  }
  return (n) => ({
    async run() {
      told = 0
      if (isHeard) for (const name of channels) channel(name).subscribe(listener)
      for (let i = 0; i < n; i++) await call(i)
      if (isHeard) for (const name of channels) channel(name).unsubscribe(listener)
    },
    verify: () => expectEqual(told > 0, isHeard, 'whether the channels have told anything'),
  })
}
