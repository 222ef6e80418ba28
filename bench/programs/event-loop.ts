import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { serveParent } from '../harness/child.ts'
import { type Gap, longestGap, timeToAbort, workedSoFar } from '../harness/longest-gap.ts'
import { userSchema, userWithNotes } from '../values/user.ts'
import { namesByHand, openByHand, workByHand } from './event-loop-by-hand.ts'

const rows = 50_000
/** Milliseconds after which work is aborted. */
const abortAfter = 20

const withPeople = (indexes: readonly { readonly on: 'city' | 'email' }[]) =>
  Valkeyrie.withSchema(['people', '*'], userSchema, { name: 'people', indexes })
const openPeople = (path: string) => withPeople([{ on: 'city' }]).open(path)
const openWithNewIndex = (path: string) => withPeople([{ on: 'city' }, { on: 'email' }]).open(path)

type People = Awaited<ReturnType<typeof openPeople>>

const ids = Array.from({ length: rows }, (_, n) => n)
const people = (from: number, count = rows) =>
  Array.from({ length: count }, (_, n) => [from + n, userWithNotes(n, 0)] as const)

type Work = (db: People, signal: AbortSignal | undefined, path: string) => Promise<unknown>

const bulkItems = people(0, 20_000).map(([id, value]) => ({ id, ...value }))

/** Work on all rows that gives way. */
const works: Readonly<Record<string, Work>> = {
  list: async (db, signal) => {
    for await (const _ of db.list({ prefix: ['people'] }, { signal }));
  },
  findMany: (db, signal) => db.repositories.people.findMany({}, { signal }),
  'findMany in a snapshot': (db, signal) =>
    db.snapshot((view) => view.repositories.people.findMany({}, { signal })),
  'findMany in a unit of work': (db, signal) =>
    db.unitOfWork((unit) => unit.repositories.people.findMany(), { signal }),
  'list in a unit of work': (db, signal) =>
    db.unitOfWork((unit) => Array.fromAsync(unit.list({ prefix: ['people'] })), { signal }),
  'getMany of all': (db, signal) => db.repositories.people.getMany(ids, { signal }),
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
  'bulk load': async (_, _signal, path) => {
    const bulk = `${path}-bulk-${performance.now()}`
    await (await Valkeyrie.from(bulkItems, { prefix: ['people'], keyProperty: 'id', path: bulk })).close()
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

type ByHandRows = readonly (readonly [key: Buffer, version: number, value: string])[]

/** Work of which the engine does a part in one go, and the same by hand, which is that part. */
interface EngineCall {
  readonly valkeyrie: (path: string) => Promise<Gap>
  readonly byHand: (database: Database.Database, rows: ByHandRows) => unknown
}

const onceOpen = (call: (db: People) => Promise<unknown>) => async (path: string) => {
  await using db = await openPeople(path)
  return await longestGap(() => call(db))
}

const engineCalls: Readonly<Record<string, EngineCall>> = {
  'the commit of updateMany': {
    valkeyrie: onceOpen((db) => db.repositories.people.updateMany({ where: {}, set: { age: 5 } })),
    byHand(database, rows) {
      const update = database.prepare('UPDATE kv SET value = ?, version = ? WHERE key = ? AND version = ?')
      database.transaction(() => {
        for (const [key, version, value] of rows) update.run(value, 1e6, key, version)
      })()
    },
  },
  'the commit of deleteMany': {
    valkeyrie: onceOpen((db) => db.repositories.people.deleteMany({ where: {} })),
    byHand(database, rows) {
      const remove = database.prepare('DELETE FROM kv WHERE key = ? AND version = ?')
      database.transaction(() => {
        for (const [key, version] of rows) remove.run(key, version)
      })()
    },
  },
  clear: {
    valkeyrie: onceOpen((db) => db.clear()),
    byHand(database) {
      // The log tells which keys are gone.
      database.prepare('SELECT key FROM kv').raw().all()
      database.exec('DELETE FROM kv')
    },
  },
  'an aggregate without an index': {
    valkeyrie: onceOpen((db) => db.repositories.people.aggregate({ groupBy: 'age', avg: 'age' })),
    byHand: (database) =>
      database
        .prepare(
          "SELECT value ->> '$.age' AS age, avg(value ->> '$.age') FROM kv WHERE collection = 'people' GROUP BY age",
        )
        .all(),
  },
  'a query that sorts without an index': {
    valkeyrie: onceOpen((db) => db.repositories.people.findMany({ orderBy: { age: 'asc' }, limit: 10 })),
    byHand: (database) =>
      database
        .prepare("SELECT value FROM kv WHERE collection = 'people' ORDER BY value ->> '$.age', key LIMIT 10")
        .all(),
  },
  'open with a new index': {
    valkeyrie: (path) => longestGap(async () => (await openWithNewIndex(path)).close()),
    byHand: (database) =>
      database.exec("CREATE INDEX by_hand ON kv (value ->> '$.email', key) WHERE collection = 'people'"),
  },
}

let copies = 0
function copyOf(path: string): string {
  const copy = `${path}-${copies++}`
  copyFileSync(path, copy)
  return copy
}

const functions = {
  /** Writes a file with all people, and gives what can be measured on it. */
  async write(folder: string) {
    const path = join(folder, 'people.db')
    const db = await openPeople(path)
    await db.repositories.people.insertMany(people(0))
    await db.close()
    return { path, works: [...Object.keys(works), ...namesByHand], calls: Object.keys(engineCalls) }
  },

  /** The gap of the event loop during work on a copy of the file, and how long it goes on after its abort. */
  async work(path: string, name: string) {
    const open = async () => {
      const copy = copyOf(path)
      if (name === 'sweep') {
        const database = openByHand(copy)
        database.exec('UPDATE kv SET expires_at = 1')
        database.close()
      }
      return openPeople(copy)
    }
    await using db = await open()
    await using other = await open()
    const run = works[name] ?? ((_, signal) => workByHand(name, path, signal))
    const gap = await longestGap(() => run(db, undefined, path))
    return { ...gap, abort: await timeToAbort((signal) => run(other, signal, path), abortAfter) }
  },

  /** The gap of the event loop during a call of the engine, and how much the thread works on that part by hand, in ms. */
  async engineCall(path: string, name: string) {
    const { valkeyrie, byHand } = engineCalls[name]!
    const gap = await valkeyrie(copyOf(path))
    const database = openByHand(copyOf(path))
    // What is prepared beforehand is not measured: neither does the library hold the lock meanwhile.
    const all = database.prepare('SELECT key, version, value FROM kv').raw().all() as [
      Buffer,
      number,
      string,
    ][]
    const changed = all.map(
      ([key, version, value]) => [key, version, JSON.stringify({ ...JSON.parse(value), age: 5 })] as const,
    )
    const began = workedSoFar()
    byHand(database, changed)
    const worked = workedSoFar() - began
    database.close()
    return { ...gap, byHand: worked }
  },
}

export type EventLoop = typeof functions
serveParent(functions)
