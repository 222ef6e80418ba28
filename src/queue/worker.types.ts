import type { Definitions } from '../schema/registry.types.ts'
import type { Failed, Job } from './job.types.ts'
import type { Any } from './target.ts'

/** How a worker works. */
export interface ProcessOptions<P = unknown, R extends Definitions = Any> {
  /** How many jobs it runs at once. Default: the `concurrency` of the queue. */
  readonly concurrency?: number | undefined
  /** Aborting it stops the worker, as `stop()` does. */
  readonly signal?: AbortSignal | undefined
  /** Called after each failed attempt, with what happens next: `'lost'` if another worker already has the job. */
  readonly onFailed?: ((job: Job<P, R>, error: unknown, becomes: Failed | 'lost') => void) | undefined
}

/** How to stop a worker. */
export interface StopOptions {
  /**
   * How many milliseconds to wait for running jobs, before their signals are aborted and they go back to the queue. Default
   * 30,000.
   */
  readonly timeout?: number | undefined
}

/**
 * Works on a job. The job is done when this returns, or its promise resolves, unless it has settled the job itself; if it throws,
 * the attempt has failed.
 */
export type Handler<P, R extends Definitions = Any> = (job: Job<P, R>) => unknown

/**
 * Runs the jobs of a queue, and enqueues those of its schedules, until you stop it or close the database. It keeps the process
 * alive.
 */
export interface Worker extends AsyncDisposable {
  /** Resolves when it has stopped, for whatever reason. */
  readonly ended: Promise<void>
  /** How many jobs it is running. */
  readonly running: number

  /**
   * Takes no more jobs, waits for the running ones, and resolves when it has ended. Jobs that take longer than `timeout` go back
   * to the queue, as if nobody had taken them.
   *
   * ```ts
   * const worker = emails.process(db, async (job) => {})
   * await worker.stop({ timeout: 10_000 })
   * worker.running // => 0
   * ```
   */
  stop(options?: StopOptions): Promise<void>
}
