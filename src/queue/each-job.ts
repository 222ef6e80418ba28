import type { Definitions } from '../schema/registry.types.ts'
import type { Job } from './job.types.ts'
import type { QueueRows } from './queue-rows.ts'
import type { QueueDatabase } from './target.ts'
import { RunningWorker } from './worker.ts'
import type { ProcessOptions } from './worker.types.ts'

interface Offer<P> {
  readonly job: Job<P>
  /** Called when the loop has handled it. */
  readonly done: () => void
}

/**
 * The jobs of a queue, one after the other, each when it is due. If the body of the loop has not settled a job, it is completed
 * when the loop asks for the next. Leaving the loop gives the current job back.
 */
export async function* eachJob<P, R extends Definitions>(
  rows: QueueRows,
  database: QueueDatabase,
  options: Pick<ProcessOptions<P>, 'signal'>,
): AsyncGenerator<Job<P, R>, void, undefined> {
  let offer = Promise.withResolvers<Offer<P>>()
  const worker = new RunningWorker<P>(
    rows,
    database,
    (job) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      offer.resolve({ job, done: resolve })
      return promise
    },
    { ...options, concurrency: 1 },
  )
  try {
    for (;;) {
      const next = await Promise.race([offer.promise, worker.ended])
      if (next === undefined) return
      offer = Promise.withResolvers<Offer<P>>()
      yield next.job
      next.done()
    }
  } finally {
    await worker.stop({ timeout: 0 })
  }
}
