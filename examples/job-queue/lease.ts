import { type Backoff, backoffDelay } from './backoff.ts'
import type { Job, QueueDatabase, QueueUnit } from './database.ts'
import { deadLetterOf } from './dead-letter.ts'

/** How jobs are worked on. */
export interface Terms {
  /** For how long a worker has a job unless it renews its lease, in milliseconds. */
  readonly lease: number
  /** The longest that one attempt may take, in milliseconds, however often the lease is renewed. */
  readonly timeout: number
  /** After how many attempts a job is given up. */
  readonly attempts: number
  readonly backoff: Backoff
}

/** A job that somebody has. */
export type LeasedJob = Job & { readonly lease: NonNullable<Job['lease']> }

/** What a job has brought about: written in the commit that completes it. Runs again after a conflict, as each unit of work. */
export type Effect = (unit: QueueUnit) => Promise<void>

/** The job is no longer this worker's: its lease ran out, and another worker took the job. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'

  constructor(id: string) {
    super(`The lease of job ${id} is lost`)
  }
}

/**
 * A job that a worker has taken, until the lease runs out. Whoever takes the job then has another token, and from there on every
 * call here rejects with LeaseLostError and writes nothing: a worker that was held up cannot meddle with the job of another.
 */
export class Lease {
  readonly id: string
  readonly payload: Job['payload']
  /** 1 for the first attempt. */
  readonly attempt: number
  readonly worker: string
  readonly terms: Terms
  readonly #token: string
  readonly #db: QueueDatabase

  constructor(db: QueueDatabase, id: string, { payload, attempts, lease }: LeasedJob, terms: Terms) {
    this.id = id
    this.payload = payload
    this.attempt = attempts
    this.worker = lease.worker
    this.terms = terms
    this.#token = lease.token
    this.#db = db
  }

  /** Begins the time of the lease anew. */
  async renew(): Promise<void> {
    await this.#held(async (_, job) => {
      job.runAt = new Date(Date.now() + this.terms.lease)
    })
  }

  /** Removes the job, and writes its effect in the same commit: there is no moment at which one of the two is done. */
  async complete(effect?: Effect): Promise<void> {
    await this.#held(async (unit) => {
      await effect?.(unit)
      await unit.repositories.jobs.delete(this.id)
    })
  }

  /** Puts the job back for a later attempt, or among the dead letters if this was the last. */
  async fail(error: unknown): Promise<'retry' | 'dead'> {
    return this.#held(async ({ repositories: { jobs, deadLetters } }, job) => {
      if (this.attempt >= this.terms.attempts) {
        await deadLetters.set(this.id, deadLetterOf(job, String(error)))
        await jobs.delete(this.id)
        return 'dead'
      }
      job.runAt = new Date(Date.now() + backoffDelay(this.terms.backoff, this.attempt))
      job.lease = null
      job.error = String(error)
      return 'retry'
    })
  }

  /** The token is read in the unit that writes, so it is still the job's when the write is committed. */
  #held<T>(work: (unit: QueueUnit, job: Job) => Promise<T>): Promise<T> {
    return this.#db.unitOfWork(async (unit) => {
      const { value: job } = await unit.repositories.jobs.get(this.id)
      if (job?.lease?.token !== this.#token) throw new LeaseLostError(this.id)
      return work(unit, job)
    })
  }
}
