import { and, asc, eq, gte, inArray, lt } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { batchesOf } from '../harness/calls.ts'
import type { User } from '../values/user.ts'
import { openTables } from './by-hand.ts'
import { type Contender, type Entry, type Store, versionOf } from './contender.ts'

const kv = sqliteTable('kv', {
  key: text('key').primaryKey(),
  value: text('value', { mode: 'json' }).$type<User>().notNull(),
  version: integer('version').notNull(),
})

const kvLog = sqliteTable('kv_log', {
  version: integer('version').primaryKey(),
  at: integer('at').notNull(),
  changes: text('changes').notNull(),
})

type Row = typeof kv.$inferSelect

const keyOf = (id: string) => `users/${id}`

/** The tables of "by hand", through Drizzle as most programs use it: each call builds its query. */
export const drizzleOrm: Contender = {
  name: 'Drizzle',
  version: versionOf('drizzle-orm'),
  note: 'the tables of "by hand"; each call builds its query, as most programs do',
  open(dir, _, durability) {
    const sqlite = openTables(dir, durability)
    const db = drizzle(sqlite)

    const upsert = (key: string, value: User, version: number) =>
      db
        .insert(kv)
        .values({ key, value, version })
        .onConflictDoUpdate({ target: kv.key, set: { value, version } })
        .run()

    const log = (keys: readonly string[]) =>
      Number(
        db
          .insert(kvLog)
          .values({ at: Date.now(), changes: keys.join('\n') })
          .run().lastInsertRowid,
      )

    const immediately = <T>(work: () => T): T => db.transaction(work, { behavior: 'immediate' })

    const get = (id: string) =>
      db
        .select()
        .from(kv)
        .where(eq(kv.key, keyOf(id)))
        .get()

    const setsAtOnce = (entries: readonly Entry[]) =>
      immediately(() => {
        for (const [id, user] of entries) upsert(keyOf(id), user, log([keyOf(id)]))
      })

    const writeAll = (entries: readonly Entry[]) => {
      const version = log(entries.map(([id]) => keyOf(id)))
      for (const [id, user] of entries) upsert(keyOf(id), user, version)
    }

    return {
      get,
      userOf: (row) => row?.value,
      getMany(ids) {
        const rows = db
          .select()
          .from(kv)
          .where(inArray(kv.key, ids.map(keyOf)))
          .all()
        const byKey = new Map(rows.map((row) => [row.key, row]))
        return ids.map((id) => byKey.get(keyOf(id)))
      },
      set: (id, user) => setsAtOnce([[id, user]]),
      setsAtOnce,
      atomic: (entries) => immediately(() => writeAll(entries)),
      swapAges: (idOfA, idOfB) =>
        immediately(() => {
          const a = get(idOfA)!.value
          const b = get(idOfB)!.value
          writeAll([
            [idOfA, { ...a, age: b.age }],
            [idOfB, { ...b, age: a.age }],
          ])
          return a.age + b.age
        }),
      list: () =>
        db
          .select()
          .from(kv)
          .where(and(gte(kv.key, 'users/'), lt(kv.key, 'users0')))
          .orderBy(asc(kv.key))
          .all(),
      userOfListed: ({ value }) => value,
      load(entries) {
        for (const batch of batchesOf(entries, 1_000)) {
          const rows = batch.map(([id, value]) => ({ key: keyOf(id), value, version: 1 }))
          immediately(() => db.insert(kv).values(rows).run())
        }
      },
      close: () => sqlite.close(),
    } satisfies Store<Row | undefined, Row>
  },
}
