import { setInterval } from 'node:timers/promises'
import { type Effect, type Lease, LeaseLostError } from './lease.ts'
import type { Queue } from './queue.ts'

/**
 * Does a job, and gives what is to be recorded of it. The signal aborts when the lease is lost: whatever is done from then on
 * another worker does too. Work that blocks the event loop belongs into a thread: the lease is not renewed meanwhile.
 */
export type Handler = (job: Lease, signal: AbortSignal) => Promise<Effect>

export type Outcome = 'done' | 'retry' | 'dead' | 'lost'

export interface WorkOptions {
  /** No job is begun after it aborts; the one in hand is finished. */
  readonly signal: AbortSignal
  readonly onOutcome?: (outcome: Outcome, job: Lease) => void
}

/** Works on one job after the other. Call it several times for several at once. */
export async function work(queue: Queue, handle: Handler, { signal, onOutcome }: WorkOptions): Promise<void> {
  while (!signal.aborted) {
    const job = await queue.claim()
    if (job === null) await queue.untilDue(signal)
    else onOutcome?.(await outcomeOf(job, handle), job)
  }
}

async function outcomeOf(job: Lease, handle: Handler): Promise<Outcome> {
  try {
    try {
      await job.complete(await renewing(job, (signal) => handle(job, signal)))
      return 'done'
    } catch (error) {
      return await job.fail(error)
    }
  } catch (error) {
    if (error instanceof LeaseLostError) return 'lost'
    throw error
  }
}

/** Renews the lease as long as the work lasts. */
async function renewing<T>(job: Lease, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const lost = new AbortController()
  const over = new AbortController()
  const beating = beat(job, over.signal).catch((error) => lost.abort(error))
  try {
    return await work(lost.signal)
  } finally {
    over.abort()
    await beating
  }
}

async function beat(job: Lease, over: AbortSignal): Promise<void> {
  try {
    // Three times in the life of a lease: a beat may be late, or even fail to come.
    for await (const _ of setInterval(job.terms.lease / 3, undefined, { signal: over })) await job.renew()
  } catch (error) {
    if (!over.aborted) throw error
  }
}
