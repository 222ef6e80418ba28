import { KvU64, type OpenOptions, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

/** What is to be done: money to be credited to an account. `failures`, and `milliseconds` of the first attempt, play the outside world. */
const payload = z.object({
  account: z.string(),
  cents: z.int().min(1),
  /** How many attempts fail. */
  failures: z.int().min(0).default(0),
  /** How long an attempt takes. */
  milliseconds: z.int().min(0).default(0),
})

const job = z.object({
  payload,
  /**
   * When a worker may take the job: at once, after a delay or a failure, or when the lease of the worker that has it runs
   * out. One field for all four, so that one index finds every job that is ready, and the time when the next one will be.
   */
  runAt: z.date(),
  /** How often a worker has taken it. */
  attempts: z.int().min(0),
  /** Who has it. A lease whose time is over (`runAt`) still counts until another worker has taken the job. */
  lease: z.object({ token: z.uuid(), worker: z.string() }).nullable(),
  /** Why the attempt before has failed. */
  error: z.string().nullable(),
})

const deadLetter = z.object({ payload, attempts: z.int(), error: z.string(), diedAt: z.date() })

export type Payload = z.input<typeof payload>
export type Job = z.infer<typeof job>
export type DeadLetter = z.infer<typeof deadLetter>

const schemas = Valkeyrie.withSchema(['jobs', '*'], job, { indexes: [{ on: 'runAt' }] })
  .withSchema(['dead-letters', '*'], deadLetter, { name: 'deadLetters' })
  .withSchema(['idempotency-keys', '*'], z.object({ job: z.string() }), { name: 'idempotencyKeys' })
  // What the jobs have brought about. A receipt has the id of its job.
  .withSchema(['accounts', '*'], z.instanceof(KvU64))
  .withSchema(['receipts', '*'], z.object({ attempt: z.int(), worker: z.string() }))

/** The jobs, those that have been given up, and what was done. */
export type QueueDatabase = Awaited<ReturnType<typeof openQueue>>
/** What a function of `unitOfWork` is given. */
export type QueueUnit = Parameters<Parameters<QueueDatabase['unitOfWork']>[0]>[0]

export function openQueue(path?: string, options?: OpenOptions) {
  return schemas.open(path, options)
}
