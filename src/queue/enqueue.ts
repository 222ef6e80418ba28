import { v7 as uuidv7 } from 'uuid'
import { type CallOptions, checkCallOptions } from '../arguments/call-options.ts'
import { checkOptionNames } from '../arguments/option-names.ts'
import { beforeCall, pacedSince } from '../time/give-way.ts'
import { latestTime } from '../time/latest-time.ts'
import { checkMilliseconds } from './options.ts'
import type { QueueRows } from './queue-rows.ts'
import { newJob, type StoredJob, type StoredKey } from './rows.ts'
import {
  isOperation,
  isUnit,
  nowOf,
  openStore,
  type QueueDatabase,
  type QueueOperation,
  type QueueUnit,
} from './target.ts'

/** When to run a job, and before which others. */
export interface EnqueueJobOptions {
  /** How many milliseconds to wait before a worker may take it. Default 0. */
  readonly delay?: number | undefined
  /** The time before which no worker takes it; instead of `delay`. */
  readonly runAt?: Date | number | undefined
  /** A whole number: of the jobs that are due, lower ones run first. Default 0. */
  readonly priority?: number | undefined
  /**
   * Jobs of one group run one at a time, in the order in which they were enqueued: the next one when the one before is done or
   * dead.
   */
  readonly group?: string | undefined
  /**
   * Do not enqueue it while a job of the same key is queued or running; with `for`, if one was enqueued within that many milliseconds, done
   * or not.
   */
  readonly deduplicate?: string | { readonly key: string; readonly for: number } | undefined
}

/** The result of `enqueue`. */
export interface Enqueued {
  /** The id of the job; for a duplicate, that of the existing job. */
  readonly id: string
  /** Whether it was not enqueued because `deduplicate` found another. */
  readonly duplicate: boolean
}

/** What to write for a job. */
export interface Draft {
  readonly id: string
  readonly job: StoredJob
  /** Its `deduplicate`, and for how many milliseconds it is taken; undefined: until the job is done. */
  readonly taken: { readonly key: string; readonly for: number | undefined } | null
}

/** The ids of the jobs that an operation enqueues with `deduplicate`, by the rows of these keys. */
const takenIn = new WeakMap<QueueOperation, Map<string, string>>()

const optionNames = ['delay', 'runAt', 'priority', 'group', 'deduplicate']

/** Puts a job into the queue: at once, or when the operation or unit of work commits. */
export function enqueue(
  rows: QueueRows,
  target: QueueDatabase | QueueUnit | QueueOperation,
  payload: unknown,
  options: EnqueueJobOptions & CallOptions = {},
): Enqueued | Promise<Enqueued> {
  if (isOperation(target)) {
    rows.checkOperation(target)
    const checked = rows.output(payload)
    if (checked instanceof Promise) {
      checked.catch(() => {})
      throw new TypeError(
        'The schema of this queue is asynchronous, and an atomic operation cannot wait for it: enqueue in a unit of work',
      )
    }
    return addToOperation(rows, target, draftOf(checked, options, nowOf(target)))
  }
  const before = beforeCall()
  return pacedSince(before, enqueueLater(rows, target, payload, options))
}

async function enqueueLater(
  rows: QueueRows,
  target: QueueDatabase | QueueUnit,
  payload: unknown,
  options: EnqueueJobOptions & CallOptions,
): Promise<Enqueued> {
  if (!isUnit(target)) openStore(target, 'enqueue')
  rows.in(target)
  checkCallOptions(options, 'enqueue', optionNames)
  const { signal, ...own } = options
  signal?.throwIfAborted()
  const draft = draftOf(await rows.output(payload), own, nowOf(target))
  if (isUnit(target)) return addToUnit(rows, target, draft)
  if (draft.taken !== null) {
    return target.unitOfWork((unit: QueueUnit) => addToUnit(rows, unit, draft), { signal })
  }
  const operation = target.atomic()
  addTo(rows, operation, draft)
  await operation.commit({ signal })
  return { id: draft.id, duplicate: false }
}

/** An operation reads nothing: that others have enqueued a duplicate is a conflict of its commit. */
function addToOperation(rows: QueueRows, operation: QueueOperation, draft: Draft): Enqueued {
  const { id, taken } = draft
  if (taken !== null) {
    const key = rows.uniqueKey(taken.key)
    const ids = takenIn.get(operation) ?? new Map<string, string>()
    const holder = ids.get(JSON.stringify(key))
    if (holder !== undefined) return { id: holder, duplicate: true }
    takenIn.set(operation, ids.set(JSON.stringify(key), id))
    operation.check({ key, versionstamp: null })
  }
  addTo(rows, operation, draft)
  return { id, duplicate: false }
}

async function addToUnit(rows: QueueRows, unit: QueueUnit, draft: Draft): Promise<Enqueued> {
  const { taken, job } = draft
  if (taken !== null) {
    const holder = await holderOf(rows, unit, taken.key)
    if (holder !== null) return { id: holder, duplicate: true }
    const expires = taken.for === undefined ? undefined : { expireIn: taken.for }
    await unit.set(rows.uniqueKey(taken.key), keyRow(draft), expires)
  }
  await unit.set(rows.jobKey(draft.id), job)
  if (job.group !== null) await unit.set(rows.lineKey(job.group, draft.id), { job: draft.id })
  return { id: draft.id, duplicate: false }
}

/** The id of the job that a `deduplicate` was last used for, if nobody else may use it. In a unit of work. */
export async function holderOf(rows: QueueRows, unit: QueueUnit, key: string): Promise<string | null> {
  const { value } = await rows.in(unit).keys.get(key)
  if (value === null) return null
  // The key is free if its job was removed by hand.
  const isFree = value.whileQueued && !(await rows.in(unit).jobs.exists(value.job))
  return isFree ? null : value.job
}

/** Adds a job, and its place in the line of its group. */
export function addJob(rows: QueueRows, operation: QueueOperation, id: string, job: StoredJob): void {
  operation.set(rows.jobKey(id), job)
  if (job.group !== null) operation.set(rows.lineKey(job.group, id), { job: id })
}

/** Adds the rows of a draft. */
function addTo(rows: QueueRows, operation: QueueOperation, draft: Draft): void {
  const { id, job, taken } = draft
  addJob(rows, operation, id, job)
  if (taken === null) return
  if (taken.for === undefined) operation.set(rows.uniqueKey(taken.key), keyRow(draft))
  else operation.set(rows.uniqueKey(taken.key), keyRow(draft), { expireIn: taken.for })
}

function keyRow({ id, taken }: Draft): StoredKey {
  return { job: id, whileQueued: taken?.for === undefined }
}

/** Throws a TypeError or RangeError if an option is not valid. */
function draftOf(payload: unknown, options: EnqueueJobOptions, now: number): Draft {
  checkOptionNames(options, optionNames, 'enqueue')
  const taken = takenBy(options.deduplicate)
  const job = newJob({
    payload,
    due: dueOf(options, now),
    ...placeOf(options),
    unique: taken === null || taken.for !== undefined ? null : taken.key,
    enqueuedAt: now,
  })
  return { id: uuidv7(), job, taken }
}

/** What decides which jobs come first. Throws a TypeError or RangeError for an invalid option. */
export function placeOf({ priority = 0, group }: Pick<EnqueueJobOptions, 'priority' | 'group'>): {
  readonly priority: number
  readonly group: string | null
} {
  if (!Number.isSafeInteger(priority))
    throw new RangeError(`priority must be a whole number (got ${String(priority)})`)
  if (group !== undefined && (typeof group !== 'string' || group === ''))
    throw new TypeError('group must be a text that is not empty')
  // Turns -0 into 0.
  return { priority: priority + 0, group: group ?? null }
}

function takenBy(deduplicate: EnqueueJobOptions['deduplicate']): Draft['taken'] {
  if (deduplicate === undefined) return null
  if (deduplicate === '') throw new TypeError('deduplicate must be a text that is not empty')
  if (typeof deduplicate === 'string') return { key: deduplicate, for: undefined }
  checkOptionNames(deduplicate, ['key', 'for'], 'deduplicate')
  if (typeof deduplicate.key !== 'string' || deduplicate.key === '')
    throw new TypeError('key of deduplicate must be a text that is not empty')
  checkMilliseconds(deduplicate.for, 'for of deduplicate', 1)
  return deduplicate
}

function dueOf({ delay, runAt }: EnqueueJobOptions, now: number): number {
  if (runAt === undefined) {
    if (delay === undefined) return now
    checkMilliseconds(delay, 'delay', 0, latestTime - now)
    return Math.ceil(now + delay)
  }
  if (delay !== undefined) throw new TypeError('delay and runAt both say when: leave one out')
  const time = runAt instanceof Date ? runAt.getTime() : runAt
  if (typeof time !== 'number' || !(Math.abs(time) <= latestTime))
    throw new TypeError('runAt must be a Date, or milliseconds since the epoch')
  return Math.ceil(time)
}
