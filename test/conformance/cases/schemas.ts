import { KvU64, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

const user = z.object({ name: z.string(), age: z.int(), email: z.email().optional() })
const post = z.object({ title: z.string() })

/** Patterns of no, one and two wildcards, one nested under another, and one more specific than another. */
export const schemas = Valkeyrie.withSchema(['users', '*'], user)
  .withSchema(['users', '*', 'posts', '*'], post, { name: 'posts' })
  .withSchema(['users', 'root'], user, { name: 'root' })
  .withSchema(['site'], z.object({ title: z.string(), visits: z.int().default(0) }))
  .withSchema(['counters', '*'], z.instanceof(KvU64))

export const alice = { name: 'Alice', age: 30 }
export const bob = { name: 'Bob', age: 25 }
