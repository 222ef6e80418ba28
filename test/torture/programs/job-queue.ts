// The queue of queue-kills.ts and its workers.

import { Valkeyrie } from 'valkeyrie'
import { queue } from 'valkeyrie/queue'
import { z } from 'zod'

/** Attempts that a kill ends count: so there are many. The lease is short, since every kill waits for one. */
export const work = queue('work', z.object({ n: z.int(), group: z.string().nullable() }), {
  retries: 10_000,
  backoff: { type: 'fixed', delay: 5 },
  lease: 1_000,
  concurrency: 4,
})

export const schemas = Valkeyrie.withSchemas([...work.definitions])
  // The effect of each job, under its idempotency key.
  .withSchema(['effects', '*'], z.object({ times: z.int() }))
  // What the jobs of a group have done, in their order.
  .withSchema(['logs', '*'], z.array(z.int()))
