import { type OpenOptions, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

const schemas = Valkeyrie.withSchema(
  ['requests', '*'],
  z.object({ number: z.int(), milliseconds: z.int() }),
).withSchema(['answers', '*'], z.object({ state: z.enum(['begun', 'done']), square: z.int().optional() }))

/** Requests, each of which says how long its work takes, and the answers to them under the same ids. */
export function openRequests(path: string, options?: OpenOptions) {
  return schemas.open(path, options)
}
