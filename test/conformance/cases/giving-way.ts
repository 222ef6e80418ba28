import { Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import { z } from 'zod'
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
