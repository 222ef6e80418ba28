import type { Definitions } from '../schema/registry.types.ts'
import type { UnitOfWork } from '../unit-of-work/unit-of-work.ts'
import type { Any } from './target.ts'

/** What to do after a failed attempt. */
export interface FailOptions {
  /** Milliseconds before the next attempt, instead of the queue's `backoff`. */
  readonly retryIn?: number | undefined
  /** `true`: no attempt follows, however many are left. */
  readonly dead?: boolean | undefined
}

/** What happens to a job after a failed attempt: it is tried again, or is dead. */
export type Failed = 'retry' | 'dead'

/**
 * A job that a worker has: nobody else works on it, as long as its `signal` is not aborted. You can complete or fail it only
 * while that is so, whatever the clocks say, never after another worker has taken it.
 */
export interface Job<P = unknown, R extends Definitions = Any> {
  /** Its id in this queue; later ids sort after it. */
  readonly id: string
  /** The payload, as the schema of the queue has output it. */
  readonly payload: P
  /** Which attempt this is, from 1. */
  readonly attempt: number
  /** When it was enqueued, in milliseconds since the epoch. */
  readonly enqueuedAt: number
  /** Its priority: lower ones run first. */
  readonly priority: number
  /** Its group; null for none. */
  readonly group: string | null
  /** Why the last attempt failed; null if this is the first. */
  readonly lastError: string | null
  /**
   * Aborted when there is no point in going on: another worker has taken the job, its `timeout` is over, or its worker was
   * stopped and has waited long enough. Pass it on to whatever can be aborted.
   */
  readonly signal: AbortSignal
  /** Whether it was completed or failed. */
  readonly isSettled: boolean

  /**
   * Completes the job. What `effects` writes in the unit of work commits together with that, or not at all: it happens exactly
   * once, however often the job was tried.
   *
   * ```ts
   * await emails.enqueue(db, { to: 'ada@example.com' })
   * for await (const job of emails.jobs(db)) {
   *   await job.complete(async (unit) => {
   *     await unit.set(['sent', job.payload.to], true)
   *   })
   *   break
   * }
   * const { value } = await db.get(['sent', 'ada@example.com'])
   * value // => true
   * ```
   *
   * Rejects with LeaseLostError if another worker has taken the job, and as `unitOfWork` does: the job is then not done.
   */
  complete(effects?: (unit: UnitOfWork<R>) => unknown): Promise<void>

  /**
   * Fails this attempt. Resolves to what happens to the job next.
   *
   * ```ts
   * await emails.enqueue(db, { to: 'ada@example.com' })
   * for await (const job of emails.jobs(db)) {
   *   await job.fail(new Error('no such address'), { dead: true }) // => 'dead'
   *   break
   * }
   * await db.repositories.emailsDead.count() // => 1
   * ```
   *
   * Rejects with LeaseLostError if another worker has taken the job.
   */
  fail(error: unknown, options?: FailOptions): Promise<Failed>
}
