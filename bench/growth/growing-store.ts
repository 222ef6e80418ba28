import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { type HandWrittenEntry, handWrittenTable, openHandWritten } from '../contenders/hand-written-table.ts'
import { type Person, personSchema } from './people.ts'
import { listedRows, pageRows } from './tasks.ts'

interface Found {
  readonly value: Person | null
}

type Answer<T> = T | Promise<T>

/** People by their ids and by their scores. */
export interface GrowingStore {
  get(id: string): Answer<Found | null>
  set(id: string, person: Person): unknown
  /** The people of this score and more, in its order. */
  page(score: number): Answer<readonly Found[]>
  /** The people from this id on. */
  list(id: string): Answer<readonly Found[]>
  load(entries: Iterable<readonly [string, Person]>): unknown
  close(): unknown
}

export async function repository(dir: string): Promise<GrowingStore> {
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

export function byHand(dir: string): GrowingStore {
  const db = openHandWritten(dir, 'normal')
  db.exec(`CREATE INDEX IF NOT EXISTS kv_score ON kv (value ->> '$.score', key)`)
  const table = handWrittenTable(db)
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
    get: (id) => table.get(id) as (HandWrittenEntry & { readonly value: Person }) | null,
    set: table.set,
    page: (score) => page.all(score).map(entry),
    list: (id) => list.all(`users/${id}`).map(entry),
    load: table.insertAll,
    close: () => db.close(),
  }
}
