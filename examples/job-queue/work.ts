import { setInterval } from 'node:timers/promises'
import { type Effect, type Lease, LeaseLostError } from './lease.ts'
import type { Queue } from './queue.ts'

/**
 * Does a job, and gives what is to be recorded of it. The signal aborts when the time of the attempt is up, and when the lease is
 * lost: from then on nobody waits for the handler any more, and another may do the same job. Work that blocks the event loop
 * belongs into a thread, since a lease cannot be renewed meanwhile.
 */
export type Handler = (job: Lease, signal: AbortSignal) => Promise<Effect>

export type Outcome = 'done' | 'retry' | 'dead' | 'lost'

export interface WorkOptions {
  /** Once it aborts, no job is taken any more; the one in hand is finished. */
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
      await job.complete(await attempt(job, handle))
      return 'done'
    } catch (error) {
      return await job.fail(error)
    }
  } catch (error) {
    if (error instanceof LeaseLostError) return 'lost'
    throw error
  }
}

/** Runs the handler, and renews the lease meanwhile. */
async function attempt(job: Lease, handle: Handler): Promise<Effect> {
  const stop = new AbortController()
  const over = new AbortController()
  const { promise: stopped, reject } = Promise.withResolvers<never>()
  stop.signal.addEventListener('abort', () => reject(stop.signal.reason))
  // A worker that is alive renews for ever, also if its handler hangs: somebody has to put an end to it.
  const { timeout } = job.terms
  const timer = setTimeout(() => stop.abort(new Error(`Took longer than ${timeout} ms`)), timeout)
  const beating = beat(job, over.signal).catch((error) => stop.abort(error))
  try {
    return await Promise.race([handle(job, stop.signal), stopped])
  } finally {
    clearTimeout(timer)
    over.abort()
    await beating
  }
}

async function beat(job: Lease, over: AbortSignal): Promise<void> {
  try {
    // Three times in the life of a lease: one beat may be late.
    for await (const _ of setInterval(job.terms.lease / 3, undefined, { signal: over })) await job.renew()
  } catch (error) {
    if (!over.aborted) throw error
  }
}
