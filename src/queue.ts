import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { QueueOptions } from './queue/options.ts'
import { Queue } from './queue/queue.ts'

export type { Enqueued, EnqueueJobOptions } from './queue/enqueue.ts'
export type { Failed, FailOptions, Job } from './queue/job.types.ts'
export { LeaseLostError } from './queue/lease-lost-error.ts'
export type { Backoff, QueueOptions } from './queue/options.ts'
export type { Queue } from './queue/queue.ts'
export type {
  DeadLetter,
  QueueDefinitions,
  QueueSchema,
  StoredJob,
  StoredKey,
  StoredSchedule,
} from './queue/rows.ts'
export type { Schedule } from './queue/schedules.ts'
export type { QueueDatabase, QueueOperation, QueueUnit } from './queue/target.ts'
export type { JobCounts } from './queue/upkeep.ts'
export type { Handler, ProcessOptions, StopOptions, Worker } from './queue/worker.types.ts'

/**
 * Declares a queue of jobs whose payloads have a schema, which may be any Standard Schema. The jobs are rows of a database that
 * you open with the `definitions` of the queue. The name is an identifier.
 *
 * ```ts
 * const images = queue('images', z.object({ url: z.url() }), {
 *   retries: 5,
 *   backoff: { type: 'exponential', delay: 500, longest: 60_000 },
 *   concurrency: 4,
 * })
 * const shop = await Valkeyrie.withSchemas([...images.definitions]).open()
 * await images.enqueue(shop, { url: 'https://example.com/a.png' }) // => { id: '…', duplicate: false }
 * ```
 *
 * Throws a TypeError or RangeError if an argument does not have the documented shape; the message says how to fix it.
 */
export function queue<const N extends string, S extends StandardSchemaV1>(
  name: N,
  schema: S,
  options: QueueOptions = {},
): Queue<N, S> {
  return new Queue(name, schema, options)
}
