// A program of a user of the package, with a drizzle-orm of the user's own.
import { and, eq, is, like, sql } from 'drizzle-orm'
import { getTableConfig, SQLiteTable } from 'drizzle-orm/sqlite-core'
import { Valkeyrie } from 'valkeyrie'
import { KvU64 } from 'valkeyrie/KvU64'
import { defineSchema, kvTables } from 'valkeyrie/schema'
import { z } from 'zod'

const users = defineSchema(['users', '*'], z.object({ name: z.string(), born: z.date() }), {
  indexes: [{ on: 'name', unique: true }],
})
const [, , path, engine] = process.argv as [string, string, string, ('better-sqlite3' | 'node:sqlite')?]
const db = await Valkeyrie.withSchemas([users]).open(path, { engine })
const seen: unknown[] = []
const watching = (async () => {
  for await (const [entry] of db.watch([['users', 'alice']])) {
    seen.push(entry.value?.name ?? null)
    if (seen.length === 2) break
  }
})()
await db.repositories.users.set('alice', { name: 'Alice', born: new Date(0) })
await db.atomic().sum(['count'], new KvU64(2n)).commit()
const found = await db.repositories.users.findFirst({ where: { name: 'Alice' } })
const count = await db.get(['count'])

const { kv } = db.tables
const name = sql<string>`${kv.value} ->> '$.name'`
const ofUsers = eq(kv.collection, 'users')
const inUsers = await db.drizzle.select({ name }).from(kv).where(ofUsers)
const called = db.drizzle
  .select({ name })
  .from(kv)
  .where(and(ofUsers, like(name, 'A%')))
  .all()
const tables = kvTables([users])
const { indexes } = getTableConfig(tables.kv)
await watching
const { rows } = await db.backup(`${path}.backup`)
await db.close()

console.log(
  JSON.stringify({
    born: found?.value.born,
    count: String((count.value as KvU64).value),
    inUsers,
    seen,
    rows,
    called,
    isTable: is(tables.kv, SQLiteTable),
    indexes: indexes.map((index) => index.config.name),
  }),
)
