import { asc, eq, inArray, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { bigint, json, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import pg from 'pg'
import type { Entry } from '../contenders/contender.ts'
import type { User } from '../values/user.ts'
import { tables } from './by-hand.ts'
import type { ServerContender } from './contender.ts'

const users = pgTable('users', {
  key: text().primaryKey(),
  value: json().$type<User>().notNull(),
  version: bigint({ mode: 'number' }).notNull(),
})
const counter = pgTable('counter', { version: bigint({ mode: 'number' }).notNull() })
const log = pgTable('log', {
  version: bigint({ mode: 'number' }).primaryKey(),
  at: timestamp().notNull(),
  keys: text().array().notNull(),
})

/** The tables of "by hand", through Drizzle as most programs use it: each call builds its query, and a transaction awaits each statement. */
export const drizzleAnew: ServerContender = {
  name: 'Drizzle',
  note: 'the tables of "by hand"; each call builds its query, a transaction awaits each statement',
  async open(address) {
    const pool = new pg.Pool({ connectionString: address })
    const db = drizzle({ client: pool })
    type Transaction = Parameters<Parameters<typeof db.transaction>[0]>[0]

    /** So many commits in one transaction. */
    const write = async (tx: Transaction, commits: readonly (readonly Entry[])[]) => {
      const given = commits.length
      const [row] = await tx
        .update(counter)
        .set({ version: sql`${counter.version} + ${given}` })
        .returning()
      const numbered = commits.map((entries, n) => ({ entries, version: row!.version - given + n + 1 }))
      await tx
        .insert(users)
        .values(
          numbered.flatMap(({ entries, version }) =>
            entries.map(([key, value]) => ({ key, value, version })),
          ),
        )
        .onConflictDoUpdate({
          target: users.key,
          set: { value: sql`excluded.value`, version: sql`excluded.version` },
        })
      await tx.insert(log).values(
        numbered.map(({ entries, version }) => ({
          version,
          at: new Date(),
          keys: entries.map(([key]) => key),
        })),
      )
      await tx.execute(sql`select pg_notify('commits', ${String(row!.version)})`)
    }
    const commit = (commits: readonly (readonly Entry[])[]) => db.transaction((tx) => write(tx, commits))
    return {
      async load(entries) {
        await db.execute(sql.raw(tables))
        await commit([entries])
      },
      get: async (id) => (await db.select().from(users).where(eq(users.key, id)))[0]?.value,
      async page(age) {
        const ofAge = eq(sql`(${users.value} ->> 'age')::int`, age)
        const rows = await db.select().from(users).where(ofAge).orderBy(asc(users.key)).limit(20)
        return rows.map(({ value }) => value)
      },
      set: (id, user) => commit([[[id, user]]]),
      setsAtOnce: (entries) => commit(entries.map((entry) => [entry])),
      atomic: (entries) => commit([entries]),
      swapAges: (idOfA, idOfB) =>
        db.transaction(async (tx) => {
          const wanted = inArray(users.key, [idOfA, idOfB])
          const [a, b] = await tx.select().from(users).where(wanted).orderBy(asc(users.key)).for('update')
          await write(tx, [
            [
              [a!.key, { ...a!.value, age: b!.value.age }],
              [b!.key, { ...b!.value, age: a!.value.age }],
            ],
          ])
        }),
      close: () => pool.end(),
    }
  },
}
