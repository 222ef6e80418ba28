import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { CallOptions } from '../arguments/call-options.ts'
import { checkName, checkSchema } from '../schema/definition-options.ts'
import type { Definitions } from '../schema/registry.types.ts'
import { paceCalls } from '../time/give-way.ts'
import { eachJob } from './each-job.ts'
import { type Enqueued, type EnqueueJobOptions, enqueue } from './enqueue.ts'
import type { Job } from './job.types.ts'
import { type QueueOptions, termsOf } from './options.ts'
import { QueueRows } from './queue-rows.ts'
import { definitionsOf, type QueueDefinitions } from './rows.ts'
import { removeSchedule, type Schedule, setSchedule } from './schedules.ts'
import { isUnit, openStore, type QueueDatabase, type QueueOperation, type QueueUnit } from './target.ts'
import { countJobs, type JobCounts, redrive, removeJob } from './upkeep.ts'
import { RunningWorker } from './worker.ts'
import type { Handler, ProcessOptions, Worker } from './worker.types.ts'

type Input<S extends StandardSchemaV1> = StandardSchemaV1.InferInput<S>
type Output<S extends StandardSchemaV1> = StandardSchemaV1.InferOutput<S>

/**
 * A queue of jobs, made with `queue`. It belongs to no database: its methods take an open database first, or the unit of work or
 * atomic operation that they are part of. A job is a row, so `db.repositories` reads, finds, counts and watches jobs like all
 * rows. Change them only with these methods.
 *
 * A job goes to one worker at a time, and runs at least once: twice if a process dies before it has said that the job is done.
 * What `job.complete` writes is written exactly once.
 */
export class Queue<N extends string = string, S extends StandardSchemaV1 = StandardSchemaV1> {
  /** Its name, which is also that of the repository of its jobs. */
  readonly name: N
  /** The schema of the payloads. */
  readonly schema: S
  /** The definitions of its rows. Pass them to `withSchemas` when you open a database, and to `kvTables` in a schema module. */
  readonly definitions: QueueDefinitions<N, S>
  readonly #rows: QueueRows

  static {
    paceCalls(Queue.prototype, ['schedule', 'unschedule', 'redrive', 'remove', 'counts'])
  }

  constructor(name: N, schema: S, options: QueueOptions) {
    checkName(name)
    checkSchema(schema)
    const terms = termsOf(options)
    this.name = name
    this.schema = schema
    this.definitions = definitionsOf(name, schema, options.valueTypes ?? [])
    this.#rows = new QueueRows(name, schema, this.definitions as never, terms)
    Object.freeze(this)
  }

  /**
   * Puts a job into the queue. With a unit of work or an atomic operation, the job exists only if that commits.
   *
   * ```ts
   * const { id } = await emails.enqueue(db, { to: 'ada@example.com' }, { delay: 60_000 })
   * await db.repositories.emails.exists(id) // => true
   *
   * await db.unitOfWork(async (unit) => {
   *   await unit.set(['users', 'bob'], { name: 'Bob' })
   *   await emails.enqueue(unit, { to: 'bob@example.com' })
   * })
   *
   * const operation = db.atomic().set(['users', 'eve'], { name: 'Eve' })
   * emails.enqueue(operation, { to: 'eve@example.com' })
   * await operation.commit() // => { ok: true, versionstamp: '…' }
   *
   * await emails.enqueue(db, { to: 'nobody' }) // => throws ValidationError
   * ```
   *
   * A duplicate (`deduplicate`) is not enqueued, and the result says so; in an atomic operation it is a conflict of the commit.
   * Rejects (or, with an atomic operation, throws) with ValidationError if the schema refuses the payload, and with TypeError or
   * RangeError if an option is not valid or the database was opened without the definitions.
   */
  enqueue(target: QueueOperation, payload: Input<S>, options?: EnqueueJobOptions): Enqueued
  enqueue(
    target: QueueDatabase | QueueUnit,
    payload: Input<S>,
    options?: EnqueueJobOptions & CallOptions,
  ): Promise<Enqueued>
  enqueue(
    target: QueueDatabase | QueueUnit | QueueOperation,
    payload: Input<S>,
    options: EnqueueJobOptions & CallOptions = {},
  ): Enqueued | Promise<Enqueued> {
    return enqueue(this.#rows, target, payload, options)
  }

  /**
   * Starts a worker, which passes each job to `handler` when it is due. The job is done when the handler returns, or its promise
   * resolves; if it throws, the attempt has failed. Start workers in as many processes as you like.
   *
   * ```ts
   * const sent: string[] = []
   * const worker = emails.process(db, async (job) => {
   *   sent.push(job.payload.to)
   *   if (sent.length === 2) stop.abort()
   * }, { concurrency: 2, signal: stop.signal })
   * await emails.enqueue(db, { to: 'ada@example.com' })
   * await emails.enqueue(db, { to: 'bob@example.com' })
   * await worker.ended
   * sent // => ['ada@example.com', 'bob@example.com']
   * ```
   *
   * Throws a TypeError or RangeError if an option is not valid, DatabaseClosedError if the database is closed, and StorageError
   * if it was opened with `readOnly`. A failure outside the handler, such as a full disk, is a process warning with the code
   * `QUEUE_WORKER`, and the worker tries again. So is a job that it cannot take, as one with a value type that it lacks: the others run.
   */
  process<R extends Definitions>(
    database: QueueDatabase<R>,
    handler: Handler<Output<S>, R>,
    options: ProcessOptions<Output<S>, R> = {},
  ): Worker {
    return new RunningWorker(
      this.#rows,
      database,
      handler as Handler<Output<S>>,
      options as ProcessOptions<Output<S>>,
    )
  }

  /**
   * The jobs one after the other, each when it is due, for `for await`. If the body has not settled a job, it is completed when
   * the loop asks for the next. If you leave the loop, by `break` or a throw, the current job goes back to the queue.
   *
   * ```ts
   * await emails.enqueue(db, { to: 'ada@example.com' })
   * const to: string[] = []
   * for await (const job of emails.jobs(db, { signal: stop.signal })) {
   *   to.push(job.payload.to)
   *   stop.abort()
   * }
   * to // => ['ada@example.com']
   * ```
   *
   * It ends when the signal is aborted or the database is closed. Rejects as `process` throws.
   */
  jobs<R extends Definitions>(
    database: QueueDatabase<R>,
    options: Pick<ProcessOptions, 'signal'> = {},
  ): AsyncGenerator<Job<Output<S>, R>, void, undefined> {
    return eachJob(this.#rows, database, options)
  }

  /**
   * Enqueues a job for every time of a cron expression, once each. The workers do it, in whichever processes they run, a second
   * before the time, so that the job starts on time. Replaces the schedule of the same id; one with the same expression and time
   * zone continues as it was, so every process may call this when it starts.
   *
   * ```ts
   * await emails.schedule(db, 'digest', { cron: '0 9 * * 1-5', timeZone: 'Europe/Paris', payload: { to: 'all@example.com' } })
   * const { value } = await db.repositories.emailsSchedules.get('digest')
   * value?.cron // => '0 9 * * 1-5'
   * ```
   *
   * The job's id is that of the schedule, `@` and the time: `digest@2026-03-02T08:00:00.000Z`. Times of day that the clocks
   * skip in spring come right after the skip, and one that comes twice in autumn counts once; an expression with `*` or a step in the
   * minutes or hours is an interval, and stays one.
   * Rejects with TypeError if the expression or the time zone does not exist, and as `enqueue` does.
   */
  async schedule(target: QueueDatabase | QueueUnit, id: string, schedule: Schedule<Input<S>>): Promise<void> {
    await setSchedule(this.#rows, target, id, schedule)
  }

  /**
   * Ends a schedule. Resolves to whether there was one. Jobs that it has already enqueued stay.
   *
   * ```ts
   * await emails.schedule(db, 'digest', { cron: '@daily', payload: { to: 'all@example.com' } })
   * await emails.unschedule(db, 'digest') // => true
   * ```
   */
  async unschedule(target: QueueDatabase | QueueUnit, id: string): Promise<boolean> {
    if (!isUnit(target)) openStore(target, 'unschedule')
    return removeSchedule(this.#rows, target, id)
  }

  /**
   * Makes a dead letter a job again, with all attempts left; without an id, every dead letter so far. One whose `deduplicate`
   * another job uses stays a dead letter. Resolves to how many jobs there are again.
   *
   * ```ts
   * await emails.redrive(db) // => 0
   * ```
   */
  async redrive(database: QueueDatabase, id?: string): Promise<number> {
    openStore(database, 'redrive')
    return redrive(this.#rows, database, id)
  }

  /**
   * Removes a job, even one that a worker has: the worker can no longer settle it, and its signal is aborted when the worker next
   * renews the lease. Resolves to whether there was one.
   *
   * ```ts
   * const { id } = await emails.enqueue(db, { to: 'ada@example.com' })
   * await emails.remove(db, id) // => true
   * ```
   */
  async remove(target: QueueDatabase | QueueUnit, id: string): Promise<boolean> {
    if (!isUnit(target)) openStore(target, 'remove')
    return removeJob(this.#rows, target, id)
  }

  /**
   * How many jobs there are, by what they wait for.
   *
   * ```ts
   * await emails.enqueue(db, { to: 'ada@example.com' })
   * await emails.counts(db) // => { ready: 1, delayed: 0, waiting: 0, active: 0, dead: 0 }
   * ```
   */
  async counts(database: QueueDatabase): Promise<JobCounts> {
    openStore(database, 'counts')
    return countJobs(this.#rows, database)
  }
}
