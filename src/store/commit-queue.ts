// Queueing, splitting and committing share one state: what waits, and for whose turn.
import type { Filing } from '../commit/filing.ts'
import { isWithdrawn } from '../commit/withdrawal.ts'
import type { AtomicWrite } from '../commit/write.ts'
import {
  CorruptValueError,
  DatabaseClosedError,
  MigrationError,
  QueryError,
  StorageError,
} from '../contract/errors.ts'
import type { Driver } from '../driver/driver.ts'
import { compareBytes } from '../key/codec.ts'
import { pauseDue } from '../time/give-way.ts'
import { waited } from '../trace/waiting.ts'
import { Portion } from './portion.ts'
import type { SettledOutcome } from './row-store.ts'
import { tracedCommit } from './traced-commit.ts'

/** How many milliseconds until checking again whether another's turn has ended. */
const longestPause = 4

/** In how many mutations to look for a key: in more, it takes longer than to wait for all. */
const mostLookedIn = 64

/** A write of more rows has a transaction to itself, which is all that it leaves if it fails: it needs no mark to return to. */
const mostTogether = 256

/** Every so many bytes of a value take as long to write as a short row. */
const bytesPerRow = 4_096

const ignore = (): void => {}

const ofOne = [StorageError, CorruptValueError, MigrationError, QueryError]

/** A callback chained to it runs in a microtask, at half the cost of `queueMicrotask`. */
const settled = Promise.resolve()

interface QueuedWrite {
  readonly write: AtomicWrite
  readonly resolve: (outcome: SettledOutcome) => void
  readonly reject: (error: unknown) => void
  /** What the caller gets. */
  readonly outcome: Promise<SettledOutcome>
  /** How many tasks were requested before it. */
  readonly era: number
}

/**
 * Group commit: writes submitted in one turn of the event loop commit in one transaction, in their order, each with its own result.
 * Writes submitted while a transaction waits for a lock form the next one. If there are so many that they would block the event
 * loop for long, they commit in several.
 */
export class CommitQueue {
  readonly #driver: Driver
  readonly #filing: Filing
  /** The address of the database, for traces. */
  readonly #path: string
  readonly #portion = new Portion()
  #queue: QueuedWrite[] = []
  /** The writes that are being committed, and those that wait with them. */
  #inHand: readonly QueuedWrite[] = []
  /** How many tasks wait or run. */
  #tasks = 0
  /** Resolves when the queued writes are settled. Made for the first who waits for them. */
  #queued: PromiseWithResolvers<void> | null = null
  #scheduled = false
  #draining: Promise<void> | null = null
  #closed = false
  #era = 0
  #wake: () => void = () => {}

  constructor(driver: Driver, filing: Filing, path: string) {
    this.#driver = driver
    this.#filing = filing
    this.#path = path
  }

  /** Resolves when the write is committed, or its checks have failed; rejects if it cannot be applied. */
  submit(write: AtomicWrite): Promise<SettledOutcome> {
    if (this.#closed) return Promise.reject(new DatabaseClosedError())
    const { promise: outcome, resolve, reject } = Promise.withResolvers<SettledOutcome>()
    this.#queue.push({ write, resolve, reject, outcome, era: this.#era })
    if (write.turn !== undefined) this.#wake()
    this.#schedule()
    return outcome
  }

  /**
   * Resolves when the writes and tasks submitted so far are settled, or those writes that may write this key; `undefined` if there are
   * none.
   */
  earlier(key?: Uint8Array): Promise<void> | undefined {
    const isEmpty = this.#queue.length === 0
    if (isEmpty && this.#draining === null) return undefined
    const writing = key === undefined || this.#tasks > 0 ? null : outcomesOf(key, this.#queue, this.#inHand)
    if (writing !== null) return writing.length === 0 ? undefined : Promise.allSettled(writing).then(ignore)
    if (isEmpty) return this.#draining!
    this.#queued ??= Promise.withResolvers()
    return this.#queued.promise
  }

  /** Accepts no more writes, and resolves when the submitted ones are settled. */
  async close(): Promise<void> {
    this.#closed = true
    while (this.#draining !== null || this.#queue.length > 0) await this.#drain()
  }

  /** Runs a task that also writes, in its place: after the writes submitted before it, before those submitted later. */
  inTurn<T>(task: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new DatabaseClosedError())
    const [earlier, waiters] = this.#take()
    this.#era += 1
    this.#tasks += 1
    const result = (this.#draining ?? Promise.resolve())
      .then(() => this.#settle(earlier, isInTurn))
      .then(() => {
        waiters?.resolve()
        return task()
      })
      .finally(() => {
        this.#tasks -= 1
      })
    this.#occupy(result)
    return result
  }

  /** A tick requested in a microtask runs after the last microtask: at the end of the turn. */
  #schedule(): void {
    if (this.#scheduled || this.#draining !== null) return
    this.#scheduled = true
    void settled.then(this.#tick)
  }

  readonly #tick = (): void => {
    process.nextTick(this.#drainScheduled)
  }

  readonly #drainScheduled = (): void => {
    this.#scheduled = false
    void this.#drain()
  }

  #drain(): Promise<void> {
    if (this.#draining !== null) return this.#draining
    const [batch, waiters] = this.#take()
    const era = this.#era
    const work = this.#settle(batch, (later) => later.era === era || isInTurn(later))
    if (waiters !== null) void work.then(waiters.resolve, waiters.resolve)
    return this.#occupy(work)
  }

  /** The queued writes, and who waits for them. */
  #take(): readonly [readonly QueuedWrite[], PromiseWithResolvers<void> | null] {
    const [queue, waiters] = [this.#queue, this.#queued]
    this.#queue = []
    this.#queued = null
    return [queue, waiters]
  }

  /** Lets no write begin before this work is done. */
  #occupy(work: Promise<unknown>): Promise<void> {
    const done = () => {
      if (this.#draining !== draining) return
      this.#draining = null
      if (this.#queue.length > 0) return this.#schedule()
      // The work has taken them, too.
      this.#queued?.resolve()
      this.#queued = null
    }
    const draining = work.then(done, done)
    this.#draining = draining
    return draining
  }

  /** Commits writes. While some wait for the end of somebody's turn, later ones that may `join` are tried with them. */
  async #settle(batch: readonly QueuedWrite[], join: (later: QueuedWrite) => boolean): Promise<void> {
    let left = batch
    let isTurn = false
    while (left.length > 0) {
      const [part, rest] = this.#parts(left, isTurn)
      this.#inHand = left
      const waiting: QueuedWrite[] = []
      for (const together of inTransactions(part)) {
        // The turn may end between two transactions, and no later write may overtake one that waits for that.
        const tried = waiting.length === 0 ? together : together.filter(isInTurn)
        if (tried !== together) waiting.push(...together.filter((queued) => !isInTurn(queued)))
        if (tried.length > 0) waiting.push(...(await this.#commitBatch(tried)))
      }
      isTurn = waiting.length > 0
      if (waiting.length === part.length) await waited(this.#path, 'turn', this.#pause())
      left = [...waiting, ...rest]
      if (isTurn) {
        left = [...left, ...this.#queue.filter(join)]
        this.#queue = this.#queue.filter((later) => !join(later))
      } else if (left.length > 0) {
        await pauseDue()
      }
    }
    this.#inHand = left
  }

  /**
   * Splits writes into those to commit next and the rest. A claim only comes first. If it `isTurn` of somebody, every write that may
   * be theirs is tried, also claims.
   */
  #parts(writes: readonly QueuedWrite[], isTurn: boolean): readonly [QueuedWrite[], QueuedWrite[]] {
    let cost = 0
    let end = 0
    do {
      cost += costOf(writes[end]!.write)
      end += 1
    } while (end < writes.length && cost < this.#portion.rows && writes[end]!.write.claim === undefined)
    const part = writes.slice(0, end)
    const rest = writes.slice(end)
    if (!isTurn) return [part, rest]
    const { theirs = [], others = [] } = Object.groupBy(rest, (queued) =>
      isInTurn(queued) ? 'theirs' : 'others',
    )
    return [[...part, ...theirs], others]
  }

  /** Waits for a moment, or until a write is submitted that may belong to the turn. */
  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const timer = setTimeout(resolve, 1 + Math.random() * longestPause)
    await promise
    clearTimeout(timer)
    this.#wake = () => {}
  }

  /** Returns the writes that wait for the end of somebody's turn. */
  async #commitBatch(batch: readonly QueuedWrite[]): Promise<readonly QueuedWrite[]> {
    try {
      return await this.#commit(batch)
    } catch (error) {
      if (batch.length > 1 && isOfOne(error)) return this.#commitApart(batch)
      for (const { reject } of batch) reject(error)
      return []
    }
  }

  /** A write that the engine cannot take, for example because the disk is full, must not fail the others. */
  async #commitApart(batch: readonly QueuedWrite[]): Promise<readonly QueuedWrite[]> {
    const waiting: QueuedWrite[] = []
    for (const queued of batch) waiting.push(...(await this.#commitBatch([queued])))
    return waiting
  }

  async #commit(queued: readonly QueuedWrite[]): Promise<readonly QueuedWrite[]> {
    let batch = queued
    for (;;) {
      // Others may have changed the catalogue since these writes were filed, as in a long unit of work, or while they were queued; and
      // their calls may have been aborted meanwhile.
      batch = batch.flatMap((write) => this.#refiled(write) ?? [])
      if (batch.length === 0) return []
      const { catalogVersion } = this.#filing
      const writes = batch.map(({ write }) => write)
      const result = await tracedCommit(this.#driver, this.#path, { catalogVersion, writes })
      if (result.type === 'done') {
        this.#portion.took(
          writes.reduce((cost, write) => cost + costOf(write), 0),
          result.took,
        )
        return batch.filter(({ resolve, reject }, index) => {
          const outcome = result.outcomes[index]!
          if (outcome.type === 'waits') return true
          if (outcome.type === 'failed') reject(outcome.error)
          else resolve(outcome)
          return false
        })
      }
      this.#filing.update(result.catalog)
    }
  }

  /** The write, filed by the current catalogue; `null` if it was aborted or can no longer be written, and was rejected. */
  #refiled(queued: QueuedWrite): QueuedWrite | null {
    const { withdrawal } = queued.write
    // If it was tried before, nothing of it was written.
    if (withdrawal !== undefined) withdrawal.hasBegun = false
    if (isWithdrawn(queued.write)) {
      queued.reject(withdrawal!.signal.reason)
      return null
    }
    try {
      const write = this.#filing.refile(queued.write)
      return write === queued.write ? queued : { ...queued, write }
    } catch (error) {
      queued.reject(error)
      return null
    }
  }
}

/**
 * Whether one write alone may have failed: the engine cannot take it, it needs something that cannot be read, or the query of its
 * claim is not answered, for example because others have dropped the search.
 */
function isOfOne(error: unknown): boolean {
  return ofOne.some((kind) => error instanceof kind)
}

/** In parts of which each is a transaction: a claim only comes first in its own, and a large write is alone. */
function inTransactions(writes: readonly QueuedWrite[]): QueuedWrite[][] {
  const parts: QueuedWrite[][] = []
  let isAlone = true
  for (const queued of writes) {
    const isLarge = rowsOf(queued.write) > mostTogether
    if (isAlone || isLarge || queued.write.claim !== undefined) parts.push([])
    parts.at(-1)!.push(queued)
    isAlone = isLarge
  }
  return parts
}

/** The outcomes of the writes that write this key; null if there are too many to look at, or a claim, which may write it. */
function outcomesOf(key: Uint8Array, ...lists: (readonly QueuedWrite[])[]): Promise<unknown>[] | null {
  const found: Promise<unknown>[] = []
  let looked = 0
  for (const list of lists) {
    for (const { write, outcome } of list) {
      looked += write.mutations.length
      if (looked > mostLookedIn || write.claim !== undefined) return null
      if (write.mutations.some((mutation) => compareBytes(mutation.key, key) === 0)) found.push(outcome)
    }
  }
  return found
}

function rowsOf({ mutations, claim }: AtomicWrite): number {
  return mutations.length + (claim?.candidates.length ?? 0)
}

/** How many short rows would take as long to write. */
function costOf(write: AtomicWrite): number {
  let cost = rowsOf(write)
  for (const mutation of write.mutations) {
    if (mutation.type === 'set') cost += Math.trunc(mutation.stored.value.length / bytesPerRow)
  }
  return cost
}

/** Whether it belongs to the current turn, which only ends when it is committed. */
function isInTurn({ write }: QueuedWrite): boolean {
  return write.turn !== undefined
}
