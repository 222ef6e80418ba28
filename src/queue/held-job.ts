// A job in a worker's hands is one state machine: running, renewed, completed, failed or lost.
import type { Key } from '../contract/key.types.ts'
import { errorText } from '../delivery/error-text.ts'
import type { Leased, Leases } from '../delivery/leases.ts'
import type { PassedOver } from '../delivery/passed-over.ts'
import { encodeStoredKey } from '../key/codec.ts'
import { parseVersionstamp } from '../key/versionstamp.ts'
import { clock } from '../time/clock.ts'
import type { Completions } from './completions.ts'
import type { Failed, FailOptions, Job } from './job.types.ts'
import { LeaseLostError } from './lease-lost-error.ts'
import { comesToFront, leavesLine } from './line.ts'
import { checkMilliseconds } from './options.ts'
import type { QueueRows } from './queue-rows.ts'
import type { DeadLetter, StoredJob } from './rows.ts'
import type { QueueDatabase, QueueOperation, QueueUnit } from './target.ts'

/** What all jobs of a worker share. */
export interface Desk {
  readonly database: QueueDatabase
  readonly rows: QueueRows
  readonly leases: Leases
  readonly passedOver: PassedOver
  readonly completions: Completions
  /** The engine's clock, in milliseconds since the epoch. */
  readonly now: () => number
}

/** A job under its key. */
export interface TakenJob {
  readonly id: string
  readonly value: StoredJob
  readonly versionstamp: string
}

/** A job that a worker of this process has. */
export class HeldJob<P = unknown> implements Job<P>, Leased {
  readonly id: string
  readonly payload: P
  readonly attempt: number
  readonly #desk: Desk
  readonly #aborting = new AbortController()
  #stored: StoredJob
  #versionstamp: string
  #state: 'held' | 'settling' | 'settled' | 'lost' | 'given back' = 'held'
  #settling: Promise<void> | null = null

  constructor(desk: Desk, { id, value, versionstamp }: TakenJob) {
    this.#desk = desk
    this.id = id
    this.payload = value.payload as P
    this.attempt = value.attempts
    this.#stored = value
    this.#versionstamp = versionstamp
  }

  get enqueuedAt(): number {
    return this.#stored.enqueuedAt
  }

  get priority(): number {
    return this.#stored.priority
  }

  get group(): string | null {
    return this.#stored.group
  }

  get lastError(): string | null {
    return this.#stored.error
  }

  get signal(): AbortSignal {
    return this.#aborting.signal
  }

  /** Whether it was completed or failed. */
  get isSettled(): boolean {
    return this.#state === 'settled'
  }

  /** Whether nothing is left to do for its worker. */
  get isOver(): boolean {
    return this.#state === 'settled' || this.#state === 'given back'
  }

  /** While it is being completed or failed: resolves once that has succeeded or not. */
  get settling(): Promise<void> | null {
    return this.#settling
  }

  get lease(): number {
    return this.#desk.rows.terms.lease
  }

  get until(): number {
    return this.#stored.due!
  }

  async complete(effects?: (unit: QueueUnit) => unknown): Promise<void> {
    await this.#settle(async () => {
      const { group, unique } = this.#stored
      if (effects !== undefined || group !== null) await this.#removeInUnit(effects)
      else if (unique !== null) await this.#commit(this.#removal())
      else await this.#remove()
    })
  }

  async fail(error: unknown, options: FailOptions = {}): Promise<Failed> {
    const { terms } = this.#desk.rows
    const { retryIn, dead = this.attempt > terms.retries } = options
    if (retryIn !== undefined) checkMilliseconds(retryIn, 'retryIn', 0)
    const wait = dead ? 0 : (retryIn ?? terms.backoff(this.attempt, error))
    const failBy = (reason: string) =>
      this.#settle(() =>
        dead ? this.#bury(reason) : this.#putBack({ due: Math.ceil(this.#desk.now() + wait), error: reason }),
      )
    try {
      await failBy(reasonOf(error))
    } catch (fault) {
      // The payload leaves no room for it.
      if (!(fault instanceof RangeError)) throw fault
      await failBy('')
    }
    return dead ? 'dead' : 'retry'
  }

  /** Its handler has ended, and could not settle it: another worker takes the job when its lease is over. */
  leave(): void {
    if (this.#state === 'held') void this.#desk.leases.release(this)
  }

  /**
   * Gives the job back as if it had not been taken. The commit begins before this returns, because it may be the last before the
   * database closes. A job that is being settled is given back if that fails, which may take long: nobody waits for it.
   */
  async giveBack(): Promise<void> {
    // If it cannot be given back then, its lease runs out.
    if (this.#settling !== null) void this.#settling.then(() => this.giveBack()).catch(() => {})
    if (this.#state !== 'held') return
    this.#state = 'given back'
    const renewed = this.#desk.leases.release(this)
    const putBack = () => this.#putBack({ due: this.#desk.now(), attempts: this.attempt - 1 })
    try {
      await putBack()
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error
      // A renewal may have come in between.
      await renewed
      await putBack().catch(() => {})
    }
  }

  /** Whether it is its turn in its group; if not, it waits in the line, as if it had not been taken. */
  async comesToFront(): Promise<boolean> {
    const { database, rows } = this.#desk
    const { group } = this.#stored
    if (group === null) return true
    const isFirst = await database.unitOfWork(async (unit: QueueUnit) => {
      await this.#assertUntouched(unit)
      if (await comesToFront(rows, unit, group, this.id)) return true
      const waiting = { ...this.#stored, due: null, worker: null, attempts: this.attempt - 1 }
      await unit.set(this.#key, waiting)
      return false
    })
    if (!isFirst) this.#state = 'given back'
    return isFirst
  }

  async renew(): Promise<boolean> {
    const stored = { ...this.#stored, due: this.#desk.now() + this.lease }
    const result = await this.#checked().set(this.#key, stored).commit()
    if (result.ok) {
      this.#stored = stored
      this.#versionstamp = result.versionstamp
    }
    return result.ok
  }

  lost(): void {
    if (this.isOver) return
    this.#state = 'lost'
    this.abort(new LeaseLostError(this.#desk.rows.name, this.id))
  }

  abort(reason: unknown): void {
    this.#aborting.abort(reason)
  }

  get #key(): Key {
    return this.#desk.rows.jobKey(this.id)
  }

  async #settle(commit: () => Promise<void>): Promise<void> {
    if (this.#state === 'settled' || this.#state === 'settling')
      throw new TypeError(`Job ${this.id} was already completed or failed: settle it only once`)
    this.#assertHeld()
    this.#state = 'settling'
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#settling = promise
    const { leases } = this.#desk
    let wasKept = false
    try {
      wasKept = await leases.settle(this)
      this.#assertHeld()
      await commit()
      this.#state = 'settled'
    } catch (error) {
      if (error instanceof LeaseLostError) this.lost()
      else {
        this.#state = 'held'
        if (wasKept) leases.keep(this, clock() - this.lease)
      }
      throw error
    } finally {
      this.#settling = null
      resolve()
    }
  }

  #assertHeld(): void {
    if (this.#state === 'lost' || this.#state === 'given back')
      throw new LeaseLostError(this.#desk.rows.name, this.id)
  }

  #checked(): QueueOperation {
    return this.#desk.database.atomic().check({ key: this.#key, versionstamp: this.#versionstamp })
  }

  async #remove(): Promise<void> {
    const version = parseVersionstamp(this.#versionstamp)
    if (!(await this.#desk.completions.remove(encodeStoredKey(this.#key), version)))
      throw new LeaseLostError(this.#desk.rows.name, this.id)
  }

  #removal(): QueueOperation {
    const { unique } = this.#stored
    const removal = this.#checked().delete(this.#key)
    return unique === null ? removal : removal.delete(this.#desk.rows.uniqueKey(unique))
  }

  async #commit(operation: QueueOperation): Promise<void> {
    const { ok } = await operation.commit()
    if (!ok) throw new LeaseLostError(this.#desk.rows.name, this.id)
  }

  /** Stores the row with these changes. */
  async #putBack(change: Partial<StoredJob>): Promise<void> {
    await this.#commit(this.#checked().set(this.#key, { ...this.#stored, worker: null, ...change }))
  }

  async #removeInUnit(write: ((unit: QueueUnit) => unknown) | undefined): Promise<void> {
    const { database, rows } = this.#desk
    const { group, unique } = this.#stored
    await database.unitOfWork(async (unit: QueueUnit) => {
      await this.#assertUntouched(unit)
      await write?.(unit)
      await unit.delete(this.#key)
      if (unique !== null) await unit.delete(rows.uniqueKey(unique))
      if (group !== null) await leavesLine(rows, unit, group, this.id)
    })
  }

  async #assertUntouched(unit: QueueUnit): Promise<void> {
    const { versionstamp } = await unit.get(this.#key)
    if (versionstamp !== this.#versionstamp) throw new LeaseLostError(this.#desk.rows.name, this.id)
  }

  /** Turns it into a dead letter. */
  async #bury(error: string): Promise<void> {
    const { rows } = this.#desk
    const { keepsDead, keepDead } = rows.terms
    const { payload, priority, group, unique, attempts, enqueuedAt } = this.#stored
    const letter: DeadLetter = {
      payload,
      priority,
      group,
      unique,
      attempts,
      error,
      enqueuedAt,
      diedAt: this.#desk.now(),
    }
    const key = rows.deadKey(this.id)
    const options = keepDead === undefined ? undefined : { expireIn: keepDead }
    if (group !== null) {
      await this.#removeInUnit((unit) => (keepsDead ? unit.set(key, letter, options) : undefined))
      return
    }
    const removal = this.#removal()
    if (keepsDead) removal.set(key, letter, options)
    await this.#commit(removal)
  }
}

/** How many characters of a reason are stored. */
const longestReason = 2_000

/** The text of an error to store, whatever was thrown. */
function reasonOf(error: unknown): string {
  const text = errorText(error)
  return (text.length > longestReason ? `${text.slice(0, longestReason)}…` : text).toWellFormed()
}
