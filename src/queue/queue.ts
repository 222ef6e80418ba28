import type { StandardSchemaV1 } from '@standard-schema/spec'
import { checkName, checkSchema } from '../schema/definition-options.ts'
import type { Definitions } from '../schema/registry.types.ts'
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
 * A queue of jobs, made by `queue`. It belongs to no database: its methods take an open one first, or what they are to be part of. A job is a row,
 * so `db.repositories` reads, finds, counts and watches jobs as it does all rows; change them by these methods only.
 *
 * A worker has each job to itself, and each is done at least once: twice where a process dies before it has said that the job is done. What
 * `job.complete` writes is written exactly once.
 */
export class Queue<N extends string = string, S extends StandardSchemaV1 = StandardSchemaV1> {
  /** That of the repository of its jobs. */
  readonly name: N
  /** The schema of the payloads. */
  readonly schema: S
  /** What a database is opened with: its rows. Add them to `withSchemas`, and to `kvTables` in a schema module. */
  readonly definitions: QueueDefinitions<N, S>
  readonly #rows: QueueRows

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
   * Puts a job into the queue. Given a unit of work or an atomic operation, the job is there if that commits, and only then.
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
   * A duplicate (`deduplicate`) is not enqueued, and the result says so; in an atomic operation it is a conflict of the commit. Rejects, and throws
   * for an atomic operation, with ValidationError for a payload that the schema refuses, and with TypeError or RangeError for options that are
   * not valid and a database that was opened without the definitions.
   */
  enqueue(target: QueueOperation, payload: Input<S>, options?: EnqueueJobOptions): Enqueued
  enqueue(
    target: QueueDatabase | QueueUnit,
    payload: Input<S>,
    options?: EnqueueJobOptions,
  ): Promise<Enqueued>
  enqueue(
    target: QueueDatabase | QueueUnit | QueueOperation,
    payload: Input<S>,
    options: EnqueueJobOptions = {},
  ): Enqueued | Promise<Enqueued> {
    return enqueue(this.#rows, target, payload, options)
  }

  /**
   * Starts a worker, which hands each job to `handler` when it is due. The job is done when that returns, or its promise resolves; what it throws
   * is a failure. Start workers in as many processes as you like.
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
   * Throws a TypeError or RangeError for options that are not valid, DatabaseClosedError on a database that is closed, and StorageError on
   * one that is opened with `readOnly`. What goes wrong beside the handler, as a full disk, is tried again, and is a process warning with the
   * code `QUEUE_WORKER`.
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
   * The jobs one after the other, each when it is due, for `for await`. One that the body has not settled is completed when the loop asks for the
   * next. A loop that is left, by `break` or by what it throws, gives the job in hand back.
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
   * It ends when the signal is aborted, and when the database is closed. Rejects as `process` throws.
   */
  jobs<R extends Definitions>(
    database: QueueDatabase<R>,
    options: Pick<ProcessOptions, 'signal'> = {},
  ): AsyncGenerator<Job<Output<S>, R>, void, undefined> {
    return eachJob(this.#rows, database, options)
  }

  /**
   * Has a job enqueued at all times that a cron expression tells, once each, whichever processes have workers: they do it. Takes the place of the
   * schedule of the same id; one with the same expression and time zone goes on as it was, so every process may say it when it starts.
   *
   * ```ts
   * await emails.schedule(db, 'digest', { cron: '0 9 * * 1-5', timeZone: 'Europe/Paris', payload: { to: 'all@example.com' } })
   * const { value } = await db.repositories.emailsSchedules.get('digest')
   * value?.cron // => '0 9 * * 1-5'
   * ```
   *
   * The job's id is that of the schedule, `@` and the time: `digest@2026-03-02T08:00:00.000Z`. A time of day that the clocks leave out in spring
   * comes when they go on, and one that comes twice in autumn is taken once; what comes every hour comes every hour. Rejects with TypeError for
   * an expression or a time zone that does not exist, and as `enqueue` does.
   */
  async schedule(target: QueueDatabase | QueueUnit, id: string, schedule: Schedule<Input<S>>): Promise<void> {
    await setSchedule(this.#rows, target, id, schedule)
  }

  /**
   * Ends a schedule; whether there was one. The jobs of times that have come stay.
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
   * Makes a dead letter a job again, with all its attempts before it; without an id, all that have died so far. Resolves to how many there were.
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
   * Removes a job, also one that is worked on: its worker can settle it no more, and its signal is aborted when the worker next renews its lease.
   * Resolves to whether there was one.
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
