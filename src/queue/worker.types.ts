import type { Definitions } from '../schema/registry.types.ts'
import type { Failed, Job } from './job.types.ts'
import type { Any } from './target.ts'

/** How a worker works. */
export interface ProcessOptions<P = unknown, R extends Definitions = Any> {
  /** How many jobs it has in hand at once. Default: the `concurrency` of the queue. */
  readonly concurrency?: number | undefined
  /** Aborting it stops the worker, as `stop()` does. */
  readonly signal?: AbortSignal | undefined
  /** Called after each attempt that has failed, with what becomes of the job: `'lost'` where another has it already. */
  readonly onFailed?: ((job: Job<P, R>, error: unknown, becomes: Failed | 'lost') => void) | undefined
}

/** How to stop a worker. */
export interface StopOptions {
  /** Milliseconds for which it waits for the jobs in hand; then it aborts their signals and gives them back. Default 30,000. */
  readonly timeout?: number | undefined
}

/** Works on a job: it is done when this returns, or its promise resolves, unless it has settled it itself; what it throws is a failure. */
export type Handler<P, R extends Definitions = Any> = (job: Job<P, R>) => unknown

/** Works on the jobs of a queue, and enqueues those of its schedules, until it is stopped or the database is closed. It keeps the process alive. */
export interface Worker extends AsyncDisposable {
  /** Resolves when it has stopped, whatever for. */
  readonly ended: Promise<void>
  /** How many jobs it has in hand. */
  readonly running: number

  /**
   * Takes no job any more, waits for those in hand, and resolves when it has ended. Those that take longer than `timeout` are given back: others
   * begin with them again, as if they had not been taken.
   *
   * ```ts
   * const worker = emails.process(db, async (job) => {})
   * await worker.stop({ timeout: 10_000 })
   * worker.running // => 0
   * ```
   */
  stop(options?: StopOptions): Promise<void>
}
