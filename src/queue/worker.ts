import { checkSignal } from '../arguments/call-options.ts'
import { checkOptionNames } from '../arguments/option-names.ts'
import { checkWholeNumber } from '../arguments/option-values.ts'
import type { Endable } from '../broadcast/open-streams.ts'
import { Leases } from '../delivery/leases.ts'
import { PassedOver } from '../delivery/passed-over.ts'
import { Pump } from '../delivery/pump.ts'
import type { Store } from '../store/store.ts'
import { longestTimer } from '../time/longest-timer.ts'
import { untilAborted } from '../time/until-aborted.ts'
import { Completions } from './completions.ts'
import { fireSchedules } from './fire-schedules.ts'
import type { Desk, HeldJob } from './held-job.ts'
import { LeaseLostError } from './lease-lost-error.ts'
import { checkMilliseconds } from './options.ts'
import type { QueueRows } from './queue-rows.ts'
import { takeJobs, workerName } from './take-jobs.ts'
import { openStore, type QueueDatabase } from './target.ts'
import { warn } from './warn.ts'
import type { Handler, ProcessOptions, StopOptions, Worker } from './worker.types.ts'

/** What the workers of one queue in this process share. */
interface Shared extends Pick<Desk, 'leases' | 'passedOver'> {
  /** The schedules that cannot be read here. */
  readonly passedSchedules: PassedOver
}

/** By the name of the queue. */
const sharedOf = new WeakMap<Store, Map<string, Shared>>()

const defaultStopTimeout = 30_000

/** A worker in this process. */
export class RunningWorker<P = unknown> implements Worker, Endable {
  readonly ended: Promise<void>
  readonly #desk: Desk
  readonly #store: Store
  readonly #handler: Handler<P>
  readonly #onFailed: ProcessOptions<P>['onFailed']
  readonly #name = workerName()
  readonly #hand = new Set<HeldJob<P>>()
  readonly #jobs: Pump<HeldJob>
  readonly #schedules: Pump<never>
  readonly #over = Promise.withResolvers<void>()

  constructor(rows: QueueRows, database: QueueDatabase, handler: Handler<P>, options: ProcessOptions<P>) {
    if (typeof handler !== 'function') throw new TypeError('process takes a function of the job')
    checkOptionNames(options, ['concurrency', 'signal', 'onFailed'], 'process')
    checkSignal(options, 'process')
    const store = openStore(database, 'process')
    const { concurrency = rows.terms.concurrency, signal, onFailed } = options
    checkWholeNumber(concurrency, 'concurrency', 1)
    if (onFailed !== undefined && typeof onFailed !== 'function')
      throw new TypeError('onFailed must be a function of the job, its error and what happens next')
    store.assertOpen()
    store.driver.assertWritable()
    rows.in(database)
    const { passedSchedules, ...shared } = sharedIn(store, rows.name)
    this.#store = store
    this.#desk = {
      database,
      rows,
      ...shared,
      completions: new Completions(store),
      now: () => store.now(),
    }
    this.#handler = handler
    this.#onFailed = onFailed
    this.#jobs = new Pump({
      hub: store.hub,
      now: () => store.now(),
      ranges: [rows.rangeOf('jobs')],
      concurrency,
      take: (most) => takeJobs(this.#desk, this.#name, most),
      work: (job) => this.#work(job as HeldJob<P>),
      onError: warn,
    })
    this.#schedules = new Pump({
      hub: store.hub,
      now: () => store.now(),
      ranges: [rows.rangeOf('schedules')],
      concurrency: 1,
      take: () => fireSchedules({ rows, database, passedOver: passedSchedules }),
      work: async () => {},
      onError: warn,
    })
    this.ended = this.#run(signal)
  }

  get running(): number {
    return this.#hand.size
  }

  async stop(options: StopOptions = {}): Promise<void> {
    checkOptionNames(options, ['timeout'], 'stop')
    const { timeout = defaultStopTimeout } = options
    checkMilliseconds(timeout, 'timeout', 0)
    this.#quit()
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, Math.min(timeout, longestTimer))
    await Promise.race([this.ended, late])
    clearTimeout(timer)
    await this.#giveBack(new Error('The worker was stopped'))
    this.#over.resolve()
    await this.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** The database is closing, and this is the last chance to write: jobs in hand go back at once. */
  end(): void {
    void this.#giveBack(new Error('The database was closed'))
    this.#quit()
    this.#over.resolve()
  }

  async #run(signal: AbortSignal | undefined): Promise<void> {
    const stop = () => void this.stop()
    const forget = this.#store.hub.streams.add(this)
    signal?.addEventListener('abort', stop)
    if (signal?.aborted) stop()
    try {
      await Promise.all([this.#jobs.run(), this.#schedules.run()])
      await Promise.race([this.#jobs.settled(), this.#over.promise])
    } finally {
      signal?.removeEventListener('abort', stop)
      forget()
    }
  }

  #quit(): void {
    this.#jobs.stop()
    this.#schedules.stop()
  }

  async #giveBack(reason: Error): Promise<void> {
    const given = [...this.#hand].map((job) => {
      const back = job.giveBack()
      job.abort(reason)
      return back.catch(warn)
    })
    await Promise.all(given)
  }

  async #work(job: HeldJob<P>): Promise<void> {
    this.#hand.add(job)
    const { timeout } = this.#desk.rows.terms
    const over = () => job.abort(new Error(`The attempt took longer than ${timeout} ms`))
    const timer = timeout === undefined ? undefined : setTimeout(over, timeout)
    try {
      // A handler that ignores the signal is abandoned.
      await untilAborted((async () => this.#handler(job))(), job.signal)
      if (!job.isOver) await job.complete()
    } catch (error) {
      const { settling } = job
      if (settling === null) await this.#failed(job, error)
      // It was abandoned while it settled the job, which decides what becomes of it. That may take long, so its place is free.
      else
        void settling
          .then(() => this.#failed(job, error))
          .catch(warn)
          .finally(() => job.leave())
    } finally {
      clearTimeout(timer)
      this.#hand.delete(job)
      job.leave()
    }
  }

  async #failed(job: HeldJob<P>, error: unknown): Promise<void> {
    try {
      if (job.isOver) {
        // It has failed after it was abandoned.
        if (!job.signal.aborted) warn(error)
        return
      }
      const becomes = error instanceof LeaseLostError ? 'lost' : await job.fail(error)
      this.#onFailed?.(job, error, becomes)
    } catch (fault) {
      if (!(fault instanceof LeaseLostError)) throw fault
      this.#onFailed?.(job, error, 'lost')
    }
  }
}

function sharedIn(store: Store, name: string): Shared {
  const all = sharedOf.get(store) ?? new Map<string, Shared>()
  sharedOf.set(store, all)
  const now = () => store.now()
  const shared = all.get(name) ?? {
    leases: new Leases(now),
    passedOver: new PassedOver(now, warn),
    passedSchedules: new PassedOver(now, warn),
  }
  all.set(name, shared)
  return shared
}
