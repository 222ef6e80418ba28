import type { Definitions } from '../schema/registry.types.ts'
import type { UnitOfWork } from '../unit-of-work/unit-of-work.ts'
import type { Any } from './target.ts'

/** How an attempt that has failed goes on. */
export interface FailOptions {
  /** Milliseconds before the next attempt, instead of the queue's `backoff`. */
  readonly retryIn?: number | undefined
  /** `true`: no attempt follows, however many are left. */
  readonly dead?: boolean | undefined
}

/** What becomes of a job whose attempt has failed: it is tried again, or was the last time. */
export type Failed = 'retry' | 'dead'

/**
 * A job in the hands of a worker: nobody else works on it, as long as its `signal` is not aborted. What settles it counts only where that is
 * still so, whatever the clocks say: a job that another has taken since can be neither completed nor failed.
 */
export interface Job<P = unknown, R extends Definitions = Any> {
  /** Names it in this queue; later ones sort behind it. */
  readonly id: string
  /** What the schema of the queue has made of what was enqueued. */
  readonly payload: P
  /** Which attempt this is, from 1. */
  readonly attempt: number
  /** When it was enqueued, in milliseconds since the epoch. */
  readonly enqueuedAt: number
  /** The one that it was enqueued with: lower ones come first. */
  readonly priority: number
  /** The group that it was enqueued with; null for none. */
  readonly group: string | null
  /** Why the attempt before has failed; null if this is the first. */
  readonly lastError: string | null
  /**
   * Is aborted when going on is for nothing: another has taken the job, its `timeout` is over, or its worker was stopped and has waited
   * long enough. Hand it on to what can be aborted.
   */
  readonly signal: AbortSignal
  /** Whether it was completed or failed. */
  readonly isSettled: boolean

  /**
   * Ends it: it is done. What `effects` writes in the unit of work is committed together with that, once, or not at all: so it happens
   * exactly once, however often the job was tried.
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
   * Rejects with LeaseLostError if another has taken the job, and as `unitOfWork` does: then it is not done.
   */
  complete(effects?: (unit: UnitOfWork<R>) => unknown): Promise<void>

  /**
   * Ends this attempt as one that has failed. Resolves to what becomes of the job.
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
   * Rejects with LeaseLostError if another has taken the job.
   */
  fail(error: unknown, options?: FailOptions): Promise<Failed>
}
