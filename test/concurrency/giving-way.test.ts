import { copyFileSync } from 'node:fs'
import { Valkeyrie } from 'valkeyrie'
import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { EventLoopTurns } from '../event-loop-turns.ts'
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
