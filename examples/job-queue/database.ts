import { KvU64, type OpenOptions, Valkeyrie } from 'valkeyrie'
import { queue } from 'valkeyrie/queue'
import { z } from 'zod'

/** What is to be done: money to be credited to an account. `failures`, and `milliseconds` of the first attempt, play the outside world. */
const payment = z.object({
  account: z.string(),
  cents: z.int().min(1),
  /** How many attempts fail. */
  failures: z.int().min(0).default(0),
  /** How long the first attempt takes. */
  milliseconds: z.int().min(0).default(0),
})

export const attempts = 4

export const payments = queue('payments', payment, {
  retries: attempts - 1,
  backoff: { type: 'exponential', delay: 20, longest: 200 },
  lease: 3_000,
})

const schemas = Valkeyrie.withSchemas([...payments.definitions])
  // What the jobs have brought about. A receipt has the id of its job.
  .withSchema(['accounts', '*'], z.instanceof(KvU64))
  .withSchema(['receipts', '*'], z.object({ attempt: z.int(), worker: z.string() }))

export function openPayments(path?: string, options?: OpenOptions) {
  return schemas.open(path, options)
}
