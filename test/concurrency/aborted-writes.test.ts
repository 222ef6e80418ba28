import { existsSync } from 'node:fs'
import { Readable } from 'node:stream'
import Sqlite from 'better-sqlite3'
import { DatabaseBusyError, type Key, Valkeyrie } from 'valkeyrie'
import { expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { patient, waitFor, waitUntil } from '../waiting.ts'
import { newDatabasePath } from './temporary-folder.ts'

const store = Valkeyrie.withSchema(['people', '*'], z.object({ age: z.int() }), { name: 'people' })

async function open() {
  const path = newDatabasePath()
  const db = await store.open(path, patient)
  onTestFinished(() => db.close())
  await db.set(['a'], 0)
  await db.repositories.people.set(1, { age: 1 })
  return { db, path }
}

type Db = Awaited<ReturnType<typeof open>>['db']
interface Options {
  readonly signal: AbortSignal
}

async function rowsOf(db: Db) {
  return Array.fromAsync(db.list({ prefix: [] }), ({ key, value }) => [key, value] as const)
}

/** Calls of which each would change something. */
const writes: Readonly<Record<string, (db: Db, options: Options) => Promise<unknown>>> = {
  set: (db, options) => db.set(['a'], 1, options),
  'an atomic operation': (db, options) => db.atomic().set(['a'], 1).set(['b'], 1).commit(options),
  enqueue: (db, options) => db.enqueue('message', options),
  'a unit of work': (db, options) => db.unitOfWork((unit) => unit.set(['a'], 1), options),
  'a unit of work that reads': (db, options) =>
    db.unitOfWork(async (unit) => {
      await unit.set(['a'], [(await unit.get(['a'])).value])
    }, options),
  clear: (db, options) => db.clear(options),
  insertMany: ({ repositories: { people } }, options) => people.insertMany([[2, { age: 2 }]], options),
  create: ({ repositories: { people } }, options) => people.create({ age: 2 }, options),
  update: ({ repositories: { people } }, options) => people.update(1, { age: 2 }, options),
  'update by a function': ({ repositories: { people } }, options) =>
    people.update(1, ({ age }) => ({ age: age + 1 }), options),
  delete: ({ repositories: { people } }, options) => people.delete(1, options),
  updateMany: ({ repositories: { people } }, options) =>
    people.updateMany({ where: {}, set: { age: 2 } }, options),
  deleteMany: ({ repositories: { people } }, options) => people.deleteMany({ where: {} }, options),
  claimMany: ({ repositories: { people } }, options) =>
    people.claimMany({ where: {}, limit: 1, set: { age: 2 } }, options),
}

it.each(Object.entries(writes))(
  '%s that is aborted while another process has the lock rejects at once, and is not written later',
  async (name, write) => {
    const { db, path } = await open()
    const before = await rowsOf(db)
    using other = lockOf(path)
    const controller = new AbortController()
    const reason = new Error('enough')
    setImmediate(() => setImmediate(() => controller.abort(reason)))
    await expect(waitFor(name, write(db, controller))).rejects.toBe(reason)
    other.unlock()
    await db.set(['later'], 1)
    expect(await rowsOf(db)).toEqual([before[0], [['later'], 1], ...before.slice(1)])
  },
)

it('a unit of work that is aborted in its turn while another process has the lock rejects at once', async () => {
  const { db, path } = await open()
  const controller = new AbortController()
  const reason = new Error('enough')
  const locked = Promise.withResolvers<ReturnType<typeof lockOf>>()
  let runs = 0
  const unit = db.unitOfWork(async (unit) => {
    await unit.get(['a'])
    if (++runs < 3) {
      await db.set(['a'], runs)
    } else {
      locked.resolve(lockOf(path))
      setImmediate(() => setImmediate(() => controller.abort(reason)))
    }
    await unit.set(['a'], 3)
  }, controller)
  const rejected = expect(waitFor('the unit of work', unit)).rejects.toBe(reason)
  using other = await locked.promise
  await rejected
  other.unlock()
  await db.set(['later'], 1)
  expect((await db.get(['a'])).value).toBe(2)
})

it('a cleanup that is aborted while another process has the lock rejects at once', async () => {
  const { db, path } = await open()
  using _ = lockOf(path)
  const controller = new AbortController()
  const reason = new Error('enough')
  setImmediate(() => setImmediate(() => controller.abort(reason)))
  await expect(waitFor('the cleanup', db.cleanup(controller))).rejects.toBe(reason)
})

it('of many writes at once, those that an abort rejects are not written, and the others are', async () => {
  const { db } = await open()
  const controller = new AbortController()
  const written: Key[] = []
  let rejected = 0
  const all = Array.from({ length: 5_000 }, async (_, n) => {
    try {
      await db.set(['many', n], n, controller)
      written.push(['many', n])
      controller.abort()
    } catch {
      rejected += 1
    }
  })
  await Promise.all(all)
  await db.set(['later'], 1)
  expect(rejected).toBeGreaterThan(0)
  expect(await Array.fromAsync(db.list({ prefix: ['many'] }), ({ key }) => key)).toEqual(written)
})

/** The lock of another writer, who gives it back at the end of the block at the latest. */
function lockOf(path: string): Disposable & { unlock(): void } {
  const other = new Sqlite(path)
  other.exec('BEGIN IMMEDIATE')
  const unlock = () => {
    if (other.open) other.close()
  }
  return { unlock, [Symbol.dispose]: unlock }
}

it('a load whose source stalls is aborted at once, finishes its source, and closes the database with what it has stored', async () => {
  const path = newDatabasePath()
  const controller = new AbortController()
  const reason = new Error('enough')
  let isFinished = false
  const stall = Promise.withResolvers<void>()
  const source = async function* () {
    try {
      for (let n = 0; n < 1_000; n++) yield { n }
      setImmediate(() => controller.abort(reason))
      await stall.promise
    } finally {
      isFinished = true
    }
  }
  const options = { path, prefix: ['rows'], keyProperty: 'n', signal: controller.signal } as const
  await expect(waitFor('the load', Valkeyrie.fromAsync(source(), options))).rejects.toBe(reason)
  stall.resolve()
  await waitUntil('the end of the source', () => isFinished)
  // Others may remove it: it is closed.
  await using db = await Valkeyrie.open(path)
  expect(await Array.fromAsync(db.list({ prefix: ['rows'] }))).toHaveLength(1_000)
  await db.destroy()
})

it('an aborted load opens nothing, and takes no item for a bad one', async () => {
  const reason = new Error('enough')
  const path = newDatabasePath()
  const options = { path, prefix: ['rows'], keyProperty: 'n' } as const
  const aborted = AbortSignal.abort(reason)
  await expect(Valkeyrie.from([{ n: 1 }], { ...options, signal: aborted })).rejects.toBe(reason)
  expect(existsSync(path)).toBe(false)

  const controller = new AbortController()
  const bad: unknown[] = []
  const items = (function* () {
    yield { n: 1 }
    controller.abort(reason)
    yield { n: 2 }
  })()
  const loading = Valkeyrie.from(items, {
    ...options,
    signal: controller.signal,
    onError: 'continue',
    onErrorCallback: (error) => bad.push(error),
  })
  await expect(loading).rejects.toBe(reason)
  expect(bad).toEqual([])
  await expect(Valkeyrie.from([], { ...options, signal: 1 as never })).rejects.toThrow(TypeError)
})

it('a load that finds the database busy rejects, and takes no item for a bad one', async () => {
  const path = newDatabasePath()
  using locks = new DisposableStack()
  const bad: unknown[] = []
  const items = (function* () {
    yield { n: 1 }
    locks.use(lockOf(path))
    yield { n: 2 }
  })()
  const loading = Valkeyrie.from(items, {
    path,
    prefix: ['rows'],
    keyProperty: 'n',
    busyTimeout: 20,
    onError: 'continue',
    onErrorCallback: (error) => bad.push(error),
  })
  await expect(loading).rejects.toThrow(DatabaseBusyError)
  expect(bad).toEqual([])
})

it('insertMany that is aborted between two commits keeps the first, and after the last one all', async () => {
  const { db } = await open()
  const { people } = db.repositories
  const insert = (first: number, count: number, from = (items: Iterable<unknown>) => items) => {
    const controller = new AbortController()
    const items = from(Array.from({ length: count }, (_, n) => [first + n, { age: n }]))
    return people.insertMany(items as never, {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    })
  }
  await expect(insert(1_000, 1_001)).rejects.toThrow('enough')
  expect(await people.count()).toBe(1 + 1_000)
  expect(await insert(5_000, 1_000)).toEqual({ ok: true, count: 1_000 })
  expect(await insert(9_000, 30, (items) => Readable.from(items) as never)).toEqual({ ok: true, count: 30 })
  expect(await people.count()).toBe(1 + 2_030)
})
