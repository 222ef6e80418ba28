import { defineSchema, kvTables } from 'valkeyrie/schema'
import { z } from 'zod'

export const users = defineSchema(['users', '*'], z.object({ name: z.string(), age: z.int() }), {
  indexes: [{ on: 'age' }],
})
export const posts = defineSchema(
  ['users', '*', 'posts', '*'],
  z.object({ title: z.string(), authorId: z.string() }),
  { name: 'posts', references: { authorId: users } },
)
export const { kv, kvLog, kvCollections } = kvTables([users, posts])
