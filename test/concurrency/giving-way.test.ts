import { copyFileSync } from 'node:fs'
import { Valkeyrie } from 'valkeyrie'
import { openKv } from 'valkeyrie/deno'
import { queue } from 'valkeyrie/queue'
import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { EventLoopTurns } from '../event-loop-turns.ts'
import { starves } from '../starves.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const path = temporaryFolder()
const count = 20_000
const person = z.object({ name: z.string(), city: z.string(), age: z.int(), about: z.string() })
const about = 'x'.repeat(200)
const people = (from: number) =>
  Array.from({ length: count }, (_, n) => {
    return [from + n, { name: `Name ${n}`, city: `City ${n % 50}`, age: n % 90, about }] as const
  })

const store = Valkeyrie.withSchema(['people', '*'], person, { name: 'people', indexes: [{ on: 'city' }] })

/** A file of people, which is copied for each test. */
const filled = path()
beforeAll(async () => {
  await using db = await store.open(filled)
  await db.repositories.people.insertMany(people(0))
})

/** A database of people. */
async function open() {
  const file = path()
  copyFileSync(filled, file)
  const db = await store.open(file)
  onTestFinished(() => db.close())
  return db
}

type Db = Awaited<ReturnType<typeof open>>
type Options = { readonly signal?: AbortSignal }

let start = 0
const nextStart = () => {
  start += count
  return start
}

const everyId = Array.from({ length: count }, (_, n) => n)
const everyKey = everyId.map((n) => ['people', n])

/** Work on all rows; most kinds take some hundred milliseconds. */
const works: Readonly<Record<string, (db: Db, options: Options) => Promise<unknown>>> = {
  list: (db, options) => Array.fromAsync(db.list({ prefix: ['people'] }, options)),
  findMany: ({ repositories: { people } }, options) => people.findMany({}, options),
  'findMany in an order': ({ repositories: { people } }, options) =>
    people.findMany({ orderBy: { age: 'asc' } }, options),
  'findMany of a snapshot': (db, options) =>
    db.snapshot((view) => view.repositories.people.findMany({}, options)),
  'findMany of a unit of work': (db, options) =>
    db.unitOfWork((unit) => unit.repositories.people.findMany({}, options)),
  getMany: (db, options) => db.getMany(everyKey, options),
  'getMany of a repository': ({ repositories: { people } }, options) => people.getMany(everyId, options),
  'getMany of a snapshot': (db, options) => db.snapshot((view) => view.getMany(everyKey, options)),
  'getMany of a unit of work': (db, options) => db.unitOfWork((unit) => unit.getMany(everyKey, options)),
  'gets at once': (db, options) =>
    Promise.all(Array.from({ length: count }, (_, n) => db.get(['people', n], options))),
  'sets at once': (db, options) =>
    Promise.all(Array.from({ length: count }, (_, n) => db.set(['numbers', n], n, options))),
  'sets of a unit of work': (db, options) =>
    db.unitOfWork(async (unit) => {
      for (let n = 0; n < count; n++) await unit.set(['numbers', n], n)
    }, options),
  'sets of a repository of a unit of work': (db, options) =>
    db.unitOfWork(async ({ repositories: { people } }) => {
      for (let n = 0; n < count; n++) await people.set(n, { name: `Name ${n}`, city: 'City', age: 5, about })
    }, options),
  'sets of a unit of work at once': (db, options) =>
    db.unitOfWork(
      (unit) => Promise.all(Array.from({ length: count }, (_, n) => unit.set(['numbers', n], n))),
      options,
    ),
  insertMany: ({ repositories: { people: rows } }, options) => rows.insertMany(people(nextStart()), options),
  'updateMany by a patch': ({ repositories: { people } }, options) =>
    people.updateMany({ where: {}, set: { age: 5 } }, options),
  'updateMany by a function': ({ repositories: { people } }, options) =>
    people.updateMany({ where: {}, set: (one) => ({ ...one, age: one.age + 1 }) }, options),
  'updateMany that gives the rows': ({ repositories: { people } }, options) =>
    people.updateMany({ where: {}, set: { age: 5 }, returning: true }, options),
  deleteMany: ({ repositories: { people } }, options) => people.deleteMany({ where: {} }, options),
}

/** Turns of the event loop while something is done. */
async function turnsIn(work: () => Promise<unknown>): Promise<number> {
  using turns = new EventLoopTurns()
  await work()
  return turns.count
}

/** Whether a timer that is due runs before something that takes long is done. */
async function timerRunsIn(work: () => Promise<unknown>): Promise<boolean> {
  let isRun = false
  setTimeout(() => {
    isRun = true
  }, 1)
  await work()
  return isRun
}

it.each(Object.entries(works))(
  '%s lets the event loop turn again and again, and ends there when its signal is aborted',
  async (_, work) => {
    const db = await open()
    const { people: rows } = db.repositories
    const controller = new AbortController()
    const reason = new Error('enough')
    setImmediate(() => setImmediate(() => controller.abort(reason)))
    await expect(work(db, { signal: controller.signal })).rejects.toBe(reason)
    expect(await rows.count()).toBeGreaterThanOrEqual(count)
    expect(await turnsIn(() => work(db, {}))).toBeGreaterThanOrEqual(3)
  },
)

it('calls that wait for a turn continue in the order in which they were made', async () => {
  const db = await open()
  const calls = 6_000
  const begun: number[] = []
  const versions = await Promise.all(
    Array.from({ length: calls }, async (_, n) => {
      const { versionstamp } = await db.set(['numbers', n % 100], n)
      begun.push(n)
      return versionstamp
    }),
  )
  expect(versions).toEqual(versions.toSorted())
  expect(begun).toEqual(begun.toSorted((a, b) => a - b))
  for (let n = 0; n < 100; n++) expect((await db.get(['numbers', n])).value).toBe(calls - 100 + n)
})

it('writes of a unit of work that wait for a turn keep their order, and its reads and entries see each at once', async () => {
  const db = await open()
  const calls = 6_000
  const settled: number[] = []
  await db.unitOfWork(async (unit) => {
    await unit.set(['numbers', 0], -1)
    const entry = await unit.get(['numbers', 0])
    const isTimerRun = await timerRunsIn(() =>
      Promise.all(
        Array.from({ length: calls }, async (_, n) => {
          const written = unit.set(['numbers', n % 100], n)
          if (n % 100 === 0) expect(entry.value).toBe(n)
          await written
          settled.push(n)
        }),
      ),
    )
    expect(isTimerRun).toBe(true)
    expect(await unit.get(['numbers', 0])).toBe(entry)
    for (let n = 0; n < 100; n++) expect((await unit.get(['numbers', n])).value).toBe(calls - 100 + n)
  })
  expect(settled).toEqual(settled.toSorted((a, b) => a - b))
  for (let n = 0; n < 100; n++) expect((await db.get(['numbers', n])).value).toBe(calls - 100 + n)
})

it('calls that are refused at once reject in their order with their own errors, after a turn if they take long', async () => {
  const db = await open()
  const reason = new Error('enough')
  const signal = AbortSignal.abort(reason)
  const isTimerRun = await timerRunsIn(async () => {
    const refused = Array.from({ length: 1_000 }, (_, n) => [
      db.repositories.people.set(n, { name: n } as never),
      db.get(['people', n], { signal }),
      db.unitOfWork(async () => {
        throw reason
      }),
    ])
    // One after the other: a rejection that nobody awaits yet must not come before those that are awaited.
    for (const [n, [set, read, unit]] of refused.entries()) {
      await expect(set).rejects.toMatchObject({
        code: 'VALIDATION',
        key: ['people', n],
        stack: expect.stringContaining('giving-way.test.ts'),
      })
      await expect(read).rejects.toBe(reason)
      await expect(unit).rejects.toBe(reason)
    }
  })
  expect(isTimerRun).toBe(true)
})

it('a refused call has begun when it waits for a turn: what its caller does later changes nothing', async () => {
  const db = await open()
  const value = { name: 1 as unknown as string, city: 'City', age: 5, about }
  let outcomes: readonly PromiseSettledResult<unknown>[] = []
  const isTimerRun = await timerRunsIn(async () => {
    const refused = Array.from({ length: 3_000 }, () => db.set(['people', 0], value))
    value.name = 'Name'
    outcomes = await Promise.allSettled(refused)
  })
  expect(isTimerRun).toBe(true)
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toEqual([])
})

it('refused calls of a queue and of a Deno KV let timers run', async () => {
  const jobs = queue('jobs', z.object({ n: z.int() }))
  const db = await Valkeyrie.withSchemas(Object.values(jobs.definitions)).open()
  const kv = await openKv(':memory:')
  await db.close()
  kv.close()
  const calls: readonly (() => Promise<unknown>)[] = [
    () => jobs.enqueue(db, { n: 1 }),
    () => jobs.schedule(db, 'daily', { cron: '@daily', payload: { n: 1 } }),
    () => jobs.unschedule(db, 'daily'),
    () => jobs.redrive(db),
    () => jobs.remove(db, 'none'),
    () => jobs.counts(db),
    () => kv.get(['a']),
    () => kv.getMany([['a']]),
    () => kv.set(['a'], 1),
    () => kv.delete(['a']),
    () => kv.enqueue(1),
    () => kv.listenQueue(() => {}),
    () => kv.list({ prefix: [] }).next(),
    () => kv.atomic().commit(),
  ]
  for (const call of calls) expect(await starves(call), String(call)).toBe(false)
})

it('other reads of a snapshot wait while one is read in slices, and all see its state', async () => {
  const db = await open()
  const { people: rows } = db.repositories
  const deleted = Promise.withResolvers<{ readonly count: number }>()
  const [all, first, few, again] = await db.snapshot(async (view) => {
    const reads = [
      view.repositories.people.findMany(),
      view.get(['people', 0]),
      view.repositories.people.findMany({ where: { city: 'City 7' } }),
      view.repositories.people.findMany({ orderBy: { age: 'desc' } }),
    ] as const
    setImmediate(() => deleted.resolve(rows.deleteMany({ where: {} })))
    return Promise.all(reads)
  })
  expect(all).toHaveLength(count)
  expect(first.value).toMatchObject({ name: 'Name 0' })
  expect(few).toHaveLength(count / 50)
  expect(again).toHaveLength(count)
  expect((await deleted.promise).count).toBe(count)
})

it('a snapshot that ends before a query that it has begun ends that query', async () => {
  const db = await open()
  let left: Promise<unknown> = Promise.resolve()
  await db
    .snapshot(async (view) => {
      left = view.repositories.people.findMany()
      left.catch(() => {})
      await view.get(['none'])
    })
    .catch(() => {})
  await Promise.allSettled([left])
  let begun: Promise<unknown> = Promise.resolve()
  await db.snapshot(async (view) => {
    begun = view.repositories.people.findMany()
    begun.catch(() => {})
    await new Promise((resolve) => setImmediate(resolve))
  })
  await expect(begun).rejects.toThrow('await every call')
  expect(await db.repositories.people.findMany()).toHaveLength(count)
})

it('a database that is closed while a snapshot reads a query rejects it', async () => {
  const db = await open()
  const reading = db.snapshot((view) => view.repositories.people.findMany())
  reading.catch(() => {})
  await new Promise((resolve) => setImmediate(resolve))
  await db.close()
  await expect(reading).rejects.toMatchObject({ code: 'DATABASE_CLOSED' })
})
