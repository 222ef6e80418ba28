import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { userWithNotes } from '../values/user.ts'
import { type People, people, rows } from './people.ts'

type Work = (db: People, signal: AbortSignal | undefined, folder: string) => Promise<unknown>

/** Work on all rows that gives way. */
export const works: Readonly<Record<string, Work>> = {
  list: async (db, signal) => {
    for await (const _ of db.list({ prefix: ['people'] }, { signal }));
  },
  findMany: (db, signal) => db.repositories.people.findMany({}, { signal }),
  'findMany in a snapshot': (db, signal) =>
    db.snapshot((view) => view.repositories.people.findMany({}, { signal })),
  'findMany in a unit of work': (db, signal) =>
    db.unitOfWork((unit) => unit.repositories.people.findMany(), { signal }),
  'pages of 1,000': async (db, signal) => {
    for (let after: string | null | undefined; after !== null; ) {
      const page = await db.repositories.people.findPage(
        { limit: 1_000, ...(after !== undefined && { after }) },
        { signal },
      )
      after = page.cursor
    }
  },
  'awaited gets': async (db, signal) => {
    for (let n = 0; n < 30_000; n++) await db.repositories.people.get(n, { signal })
  },
  'gets at once': (db) =>
    Promise.all(Array.from({ length: 20_000 }, (_, n) => db.repositories.people.get(n))),
  'awaited sets': async (db, signal) => {
    for (let n = 0; n < 3_000; n++) await db.repositories.people.set(n, userWithNotes(n, 0), { signal })
  },
  'sets at once': (db, signal) =>
    Promise.all(people(0, 1_000).map(([id, value]) => db.repositories.people.set(id, value, { signal }))),
  insertMany: (db, signal) =>
    db.repositories.people.insertMany(people(rows, 20_000), { ...(signal && { signal }) }),
  'bulk load': async (_, _signal, folder) => {
    const items = people(0, 20_000).map(([id, value]) => ({ id, ...value }))
    const path = join(folder, `bulk-${performance.now()}.db`)
    await (await Valkeyrie.from(items, { prefix: ['people'], keyProperty: 'id', path })).close()
  },
  changes: async (db, signal) => {
    let seen = 0
    const changes = db.repositories.people.changes({ since: '0'.repeat(20), ...(signal && { signal }) })
    for await (const _ of changes) if (++seen === rows) return
    signal?.throwIfAborted()
  },
  /** Of rows that have expired. */
  sweep: (db, signal) => db.cleanup({ ...(signal && { signal }) }),
  'a live query of all rows': async (db, signal) => {
    let seen = 0
    for await (const _ of db.repositories.people.watchMany({}, { ...(signal && { signal }) })) {
      if (++seen === 2) return
      await db.repositories.people.update(5, { age: 20 })
    }
    signal?.throwIfAborted()
  },
}
