import { type Definitions, parameter, type UnitOfWork, Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import { z } from 'zod'
import { starves } from '../../starves.ts'
import type { Cases, Place } from '../suite.ts'

async function open(place: Place) {
  const db = await Valkeyrie.withSchema(['rows', '*'], z.object({ n: z.int() }), { name: 'rows' }).open(
    place.path(),
  )
  await db.repositories.rows.insertMany(Array.from({ length: 100 }, (_, n) => [n, { n }] as const))
  return db
}

type Db = Awaited<ReturnType<typeof open>>

async function firstOf(stream: ReadableStream): Promise<void> {
  const reader = stream.getReader()
  await reader.read()
  await reader.cancel()
}

const loops: Readonly<Record<string, (db: Db) => Promise<unknown>>> = {
  get: (db) => db.get(['rows', 1]),
  getMany: (db) =>
    db.getMany([
      ['rows', 1],
      ['rows', 2],
    ]),
  set: (db) => db.set(['a'], 1),
  delete: (db) => db.delete(['a']),
  atomic: (db) => db.atomic().sum(['sum'], 1n).commit(),
  unitOfWork: (db) => db.unitOfWork(async (unit) => void (await unit.get(['rows', 1]))),
  'unitOfWork that writes': (db) => db.unitOfWork((unit) => unit.set(['a'], 1)),
  snapshot: (db) => db.snapshot((view) => view.repositories.rows.count()),
  list: (db) => Array.fromAsync(db.list({ prefix: ['rows'] })),
  findFirst: (db) => db.repositories.rows.findFirst({ where: { n: 5 } }),
  findMany: (db) => db.repositories.rows.findMany(),
  count: (db) => db.repositories.rows.count(),
  aggregate: (db) => db.repositories.rows.aggregate({ sum: 'n' }),
  update: (db) => db.repositories.rows.update(1, { n: 2 }),
  updateMany: (db) => db.repositories.rows.updateMany({ where: { n: 7 }, set: { n: 7 } }),
  watch: (db) => firstOf(db.watch([['rows', 1]])),
  watchMany: (db) => firstOf(db.repositories.rows.watchMany()),
  changes: (db) => firstOf(db.changes({ since: '0'.repeat(20) })),
}

const aborted = AbortSignal.abort(new Error('enough'))

/** Calls that are refused, or have nothing to do: they end before they reach the engine. */
const short: Readonly<Record<string, (db: Db) => Promise<unknown>>> = {
  'get of a bad key': (db) => db.get([{} as never]),
  'get with a bad option': (db) => db.get(['a'], { signl: aborted } as never),
  'get with an aborted signal': (db) => db.get(['a'], { signal: aborted }),
  'getMany of no array': (db) => db.getMany('a' as never),
  'set of a refused value': (db) => db.set(['rows', 1], { n: 'one' } as never),
  'set of a function': (db) => db.set(['a'], () => {}),
  'delete with an aborted signal': (db) => db.delete(['a'], { signal: aborted }),
  'enqueue with a bad option': (db) => db.enqueue('a', { delay: -1 }),
  'set of a repository, with a refused value': (db) => db.repositories.rows.set(1, { n: 'one' } as never),
  'insert with an aborted signal': (db) => db.repositories.rows.insert(1, { n: 1 }, { signal: aborted }),
  'findMany of a bad query': (db) => db.repositories.rows.findMany({ where: { m: 1 } } as never),
  'findPage with a bad cursor': (db) => db.repositories.rows.findPage({ after: 'junk', limit: 1 }),
  'insertMany of nothing': (db) => db.repositories.rows.insertMany([]),
  toSQL: (db) => db.repositories.rows.toSQL(),
  'explain of a bad query': (db) => db.repositories.rows.explain({ where: { m: 1 } } as never),
  'execute without a parameter': (db) =>
    db.repositories.rows.prepare({ where: { n: parameter('n') } }).execute({} as never),
  'atomic with an aborted signal': (db) => db.atomic().sum(['sum'], 1n).commit({ signal: aborted }),
  'unitOfWork that does nothing': (db) => db.unitOfWork(async () => 1),
  'unitOfWork that throws': (db) =>
    db.unitOfWork(async () => {
      throw new Error('no')
    }),
  'snapshot that reads nothing': (db) => db.snapshot(async () => 1),
  'list that is left': (db) => db.list({ prefix: ['rows'] }).return(),
  'changes that are left': (db) => db.changes().cancel(),
  'changes that a loop leaves': (db) => db.changes().getReader().cancel(),
  'stats with an aborted signal': (db) => db.stats({ signal: aborted }),
  'open with a bad option': () => Valkeyrie.open(undefined, { pth: 1 } as never),
}

const ofClosed: Readonly<Record<string, (db: Db) => Promise<unknown>>> = {
  ...short,
  ...loops,
  close: (db) => db.close(),
  destroy: (db) => db.destroy(),
  listenQueue: (db) => db.listenQueue(() => {}),
  cleanup: (db) => db.cleanup(),
  'changes that are read': (db) => db.changes().getReader().read(),
  'changes that are left': (db) => db.changes().cancel(),
}

/** Writes of one unit of work, each of another row. */
const writes: Readonly<Record<string, (unit: UnitOfWork<Definitions>, n: number) => Promise<unknown>>> = {
  set: (unit, n) => unit.set(['row', n], { n }),
  'set of a refused value': (unit, n) => unit.set(['row', n], () => {}),
  delete: (unit, n) => unit.delete(['row', n]),
  enqueue: (unit, n) => unit.enqueue(n),
  'set of a repository': (unit, n) => rowsOf(unit).set(n, { n }),
  'insert of a repository': (unit, n) => rowsOf(unit).insert(100 + n, { n }),
  'touch of a repository': (unit, n) => rowsOf(unit).touch(n, { expireIn: null }),
}

const rowsOf = (unit: UnitOfWork<Definitions>) => (unit as unknown as Db).repositories.rows

async function starving<T>(
  calls: Readonly<Record<string, (target: T, n: number) => Promise<unknown>>>,
  target: T,
): Promise<string[]> {
  const found: string[] = []
  for (const [name, call] of Object.entries(calls)) {
    if (await starves((n) => call(target, n))) found.push(name)
  }
  return found
}

/** Work that never yields never sees the timer fire: it would run until the test is stopped. */
export const givingWayCases: Cases = {
  ...Object.fromEntries(
    Object.entries(loops).map(([name, call]) => [
      `a loop of awaited calls of ${name} lets timers run`,
      async (place: Place) => {
        await using db = await open(place)
        let stop = false
        setTimeout(() => {
          stop = true
        }, 20)
        while (!stop) await call(db)
        expect(stop).toBe(true)
      },
    ]),
  ),

  'a loop of calls that are refused, or have nothing to do, lets timers run': async (place) => {
    await using db = await open(place)
    expect(await starving(short, db)).toEqual([])
  },

  'a loop of calls of a closed database lets timers run': async (place) => {
    const db = await open(place)
    await db.close()
    expect(await starving(ofClosed, db)).toEqual([])
  },

  'a loop of writes in a unit of work lets timers run': async (place) => {
    await using db = await open(place)
    const enough = new Error('enough')
    let found: readonly string[] | undefined
    const discarded = db.unitOfWork(async (unit) => {
      found = await starving(writes, unit as unknown as UnitOfWork<Definitions>)
      throw enough
    })
    await expect(discarded).rejects.toBe(enough)
    expect(found).toEqual([])
  },

  'a list whose entries are awaited one by one lets timers run': async (place) => {
    await using db = await open(place)
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    while (ticks < 3) for await (const _ of db.list({ prefix: ['rows'] })) if (ticks >= 3) break
    clearInterval(timer)
    expect(ticks).toBeGreaterThanOrEqual(3)
  },

  'a watcher that writes its own key lets timers run': async (place) => {
    await using db = await open(place)
    let stop = false
    setTimeout(() => {
      stop = true
    }, 20)
    let n = 0
    for await (const _ of db.watch([['own']])) {
      if (stop) break
      await db.set(['own'], n++)
    }
    expect(stop).toBe(true)
  },

  'a pause does not turn a failure into an unhandled one': async (place) => {
    await using db = await open(place)
    let stop = false
    setTimeout(() => {
      stop = true
    }, 20)
    while (!stop) await expect(db.repositories.rows.update('none', { n: 1 })).rejects.toThrow('no value')
  },
}
