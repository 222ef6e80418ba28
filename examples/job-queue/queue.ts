import { randomUUID } from 'node:crypto'
import type { Payload, QueueDatabase, QueueUnit } from './database.ts'
import { deadLetterOf } from './dead-letter.ts'
import { Lease, type Terms } from './lease.ts'

export interface QueueOptions extends Partial<Terms> {
  /** A name for who takes jobs here. */
  readonly worker?: string
  /** For how long an idempotency key is known, in milliseconds. */
  readonly rememberFor?: number
}

export interface EnqueueOptions {
  /** How long the job is to wait, in milliseconds. */
  readonly delay?: number
  /** Names what the job is for: while the key is known, there is no second job for it. */
  readonly idempotencyKey?: string
}

type JobEntry = Awaited<ReturnType<QueueDatabase['repositories']['jobs']['findMany']>>[number]

/** How many of the first jobs are looked at by a worker for whose first choice another was quicker. */
const spread = 16
/** The longest delay that Node.js' timers take. */
const longestDelay = 2 ** 31 - 1

/** Jobs that any number of processes and threads put into one file and take out of it. */
export class Queue {
  readonly #db: QueueDatabase
  readonly #terms: Terms
  readonly #worker: string
  readonly #rememberFor: number

  constructor(db: QueueDatabase, options: QueueOptions = {}) {
    this.#db = db
    this.#terms = {
      lease: options.lease ?? 30_000,
      timeout: options.timeout ?? 10 * 60_000,
      attempts: options.attempts ?? 5,
      backoff: options.backoff ?? { first: 1_000, longest: 10 * 60_000 },
    }
    this.#worker = options.worker ?? `process ${process.pid}`
    this.#rememberFor = options.rememberFor ?? 24 * 60 * 60_000
  }

  /** Adds a job; gives its id. With an idempotency key that is known already, the id of the job that has it. */
  enqueue(payload: Payload, options?: EnqueueOptions): Promise<string> {
    return this.#db.unitOfWork((unit) => this.enqueueIn(unit, payload, options))
  }

  /** As part of a unit of work: there is a job if, and only if, what it follows from is committed. */
  async enqueueIn(unit: QueueUnit, payload: Payload, options: EnqueueOptions = {}): Promise<string> {
    const { jobs, idempotencyKeys } = unit.repositories
    const { delay = 0, idempotencyKey } = options
    if (idempotencyKey !== undefined) {
      const { value: known } = await idempotencyKeys.get(idempotencyKey)
      if (known !== null) return known.job
    }
    const runAt = new Date(Date.now() + delay)
    const { id } = await jobs.create({ payload, runAt, attempts: 0, lease: null, error: null })
    const job = String(id)
    if (idempotencyKey !== undefined) {
      await idempotencyKeys.set(idempotencyKey, { job }, { expireIn: this.#rememberFor })
    }
    return job
  }

  /**
   * Takes the job that has been ready longest; of those that became ready at the same time, the one that was enqueued first.
   * Gives null where none is ready.
   *
   * Were all workers to insist on the first job, one of them would get it and the others would have tried in vain, at every
   * job anew. So one for whom another was quicker takes any of the first few: the order gives way a little where many want the
   * same, and only there.
   */
  async claim(): Promise<Lease | null> {
    const { jobs } = this.#db.repositories
    for (let limit = 1; ; limit = spread) {
      const ready = await jobs.findMany({
        where: { runAt: { lte: new Date() } },
        orderBy: { runAt: 'asc' },
        limit,
      })
      const job = ready[Math.floor(Math.random() * ready.length)]
      if (job === undefined) return null
      const lease = await this.#take(job)
      if (lease !== null) return lease
    }
  }

  /**
   * Waits until a job may be ready, or the signal aborts. It looks at the job that is due next: now, whenever that is another one,
   * and when its time has come, be it the end of a delay or of the lease of a worker that has died. In between it does nothing.
   */
  async untilDue(signal: AbortSignal): Promise<void> {
    const due = new AbortController()
    const next = this.#db.repositories.jobs.watchMany(
      { orderBy: { runAt: 'asc' }, limit: 1 },
      { signal: AbortSignal.any([signal, due.signal]) },
    )
    let timer: NodeJS.Timeout | undefined
    try {
      for await (const [job] of next) {
        clearTimeout(timer)
        const wait = job === undefined ? longestDelay : job.value.runAt.getTime() - Date.now()
        if (wait <= 0) return
        // With nothing to wait for as well: a timer keeps the process alive, and a stream does not.
        timer = setTimeout(() => due.abort(), Math.min(wait, longestDelay))
      }
    } finally {
      clearTimeout(timer)
    }
  }

  /** Makes a dead letter a job again, with all its attempts before it; false where there is no such letter. */
  async revive(id: string): Promise<boolean> {
    return this.#db.unitOfWork(async ({ repositories: { jobs, deadLetters } }) => {
      const { value: letter } = await deadLetters.get(id)
      if (letter === null) return false
      const { payload, error } = letter
      await jobs.set(id, { payload, runAt: new Date(), attempts: 0, lease: null, error })
      await deadLetters.delete(id)
      return true
    })
  }

  /** The job under a new lease; null where another was quicker, or its last attempt is over. */
  async #take({ id, key, value, versionstamp }: JobEntry): Promise<Lease | null> {
    const error =
      value.lease === null ? value.error : `${value.lease.worker} has not finished attempt ${value.attempts}`
    const taking = this.#db.atomic().check({ key, versionstamp })
    if (value.attempts >= this.#terms.attempts) {
      const letter = this.#db.repositories.deadLetters.key(id)
      await taking
        .delete(key)
        .set(letter, deadLetterOf(value, String(error)))
        .commit()
      return null
    }
    const job = {
      payload: value.payload,
      runAt: new Date(Date.now() + this.#terms.lease),
      attempts: value.attempts + 1,
      lease: { token: randomUUID(), worker: this.#worker },
      error,
    }
    const { ok } = await taking.set(key, job).commit()
    return ok ? new Lease(this.#db, String(id), job, this.#terms) : null
  }
}
