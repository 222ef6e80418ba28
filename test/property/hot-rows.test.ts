import { setImmediate as nextTurn } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { eq } from 'drizzle-orm'
import fc from 'fast-check'
import { Valkeyrie } from 'valkeyrie'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { encodeKey } from '../../src/key/codec.ts'
import { extent } from '../extent.ts'
import { stillClock } from '../still-clock.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const store = Valkeyrie.withSchema(['rows', '*'], z.object({ n: z.int() }), {
  name: 'rows',
  indexes: [{ on: 'n' }],
})
type Db = Awaited<ReturnType<typeof store.open>>
type Rows = Db['repositories']['rows']

const newPath = temporaryFolder()

const ids = [0, 1, 2, 3, 4]
/** For how many milliseconds a row that expires lives. */
const life = 1_000

/** What is done to the row with an id; `n` is a number that no row has had. */
type Write = (rows: Rows, id: number, n: number, db: Db) => unknown

const writes = {
  set: (rows, id, n) => rows.set(id, { n }),
  'set for a while': (rows, id, n) => rows.set(id, { n }, { expireIn: life }),
  delete: (rows, id) => rows.delete(id),
  update: (rows, id, n) => rows.update(id, { n }),
  upsert: (rows, id, n) => rows.upsert(id, { create: { n }, update: { n } }),
  atomic: (_rows, id, n, db) =>
    db
      .atomic()
      .set(['rows', id], { n })
      .delete(['rows', (id + 1) % 5])
      .commit(),
  'unit of work': (_rows, id, n, db) =>
    db.unitOfWork(async (unit) => {
      const rows = unit.repository(['rows', '*'])
      await rows.get((id + 1) % 5)
      await rows.set(id, { n })
    }),
  touch: (rows, id) => rows.touch(id, { expireIn: life }),
  insertMany: (rows, id, n) => rows.insertMany([[id, { n }]]),
  updateMany: (rows, id, n) => rows.updateMany({ where: { n: { gte: id * 10 } }, set: { n } }),
  deleteMany: (rows, id) => rows.deleteMany({ where: { n: { lt: id * 10 } } }),
  claimMany: (rows, _id, n) => rows.claimMany({ where: {}, orderBy: { n: 'asc' }, limit: 1, set: { n } }),
  clear: (_rows, _id, _n, db) => db.clear(),
  cleanup: (_rows, _id, _n, db) => db.cleanup(),
} satisfies Record<string, Write>

const step = fc.record({
  what: fc.constantFrom(
    ...(Object.keys(writes) as (keyof typeof writes)[]),
    ...([
      'another handle',
      'drizzle',
      'another program',
      'time',
      'time back',
      'a turn',
      'a snapshot',
    ] as const),
  ),
  id: fc.constantFrom(...ids),
})

describe.each(['a file', 'memory'])('in %s', (place) => {
  const isFile = place === 'a file'

  test('whoever writes, a row that is read again is the one that the engine has', async () => {
    const clock = stillClock()
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        await using opened = new AsyncDisposableStack()
        const path = isFile ? newPath() : ':memory:'
        const db = opened.use(await store.open(path))
        const other = isFile ? opened.use(await store.open(path)) : db
        const program = isFile ? opened.adopt(new Sqlite(path), (raw) => void raw.close()) : null
        const held = opened.adopt<(() => void)[]>([], (all) => {
          for (const end of all) end()
        })
        const { rows } = db.repositories
        const { kv } = db.tables
        for (const [at, { what, id }] of steps.entries()) {
          const n = 10 * (at + 1) + id
          const json = JSON.stringify({ n })
          const key = encodeKey(['rows', id])
          if (what === 'another handle') await other.repositories.rows.set(id, { n })
          else if (what === 'drizzle')
            db.drizzle
              .update(kv)
              .set({ value: json })
              .where(eq(kv.key, Buffer.from(key)))
              .run()
          else if (what === 'another program')
            program?.prepare('UPDATE kv SET value = ? WHERE key = ?').run(json, key)
          else if (what === 'time') clock.advance(life / 2)
          else if (what === 'time back') clock.advance(-life)
          else if (what === 'a turn') await nextTurn()
          else if (what === 'a snapshot') await hold(db, held)
          else await Promise.resolve(writes[what](rows, id, n, db)).catch(() => {})
          for (let again = 0; again < 3; again++) {
            const found = []
            for (const one of ids) found.push(await rows.get(one))
            expect(found, `after ${what}`).toEqual(await rows.getMany(ids))
          }
        }
      }),
      { numRuns: extent(`histories of rows in ${place}`, 60, 1_000) },
    )
  })
})

/** Takes the connection that serves other calls, until the end or the next call. */
async function hold(db: Db, held: (() => void)[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  held.pop()?.()
  held.push(resolve)
  void db.snapshot(async (view) => {
    await view.get(['rows', 0])
    begun.resolve()
    await promise
  })
  await begun.promise
}
