import type { AtomicWrite } from '../commit/write.ts'
import type { Driver } from '../driver/driver.ts'
import { DatabaseClosedError, StorageError } from '../errors.ts'
import type { Filing } from './filing.ts'
import type { SettledOutcome } from './row-store.ts'

interface QueuedWrite {
  readonly write: AtomicWrite
  readonly resolve: (outcome: SettledOutcome) => void
  readonly reject: (error: unknown) => void
}

/**
 * Group commit: the writes that are submitted in one turn of the event loop are committed in one transaction, in the order
 * in which they were submitted, each with its own result. Writes submitted while a transaction waits for a lock
 * form the next one.
 */
export class CommitQueue {
  readonly #driver: Driver
  readonly #filing: Filing
  #queue: QueuedWrite[] = []
  #scheduled = false
  #draining: Promise<void> | null = null
  #closed = false

  constructor(driver: Driver, filing: Filing) {
    this.#driver = driver
    this.#filing = filing
  }

  /** Resolves when the write is committed, or its checks have failed; rejects when it cannot be applied. */
  submit(write: AtomicWrite): Promise<SettledOutcome> {
    if (this.#closed) return Promise.reject(new DatabaseClosedError())
    return new Promise((resolve, reject) => {
      // What was filed before others changed the catalogue, as in a unit of work that is long, is filed anew.
      const queued = this.#refiled({ write, resolve, reject })
      if (queued === null) return
      this.#queue.push(queued)
      this.#schedule()
    })
  }

  /** Takes no more writes, and resolves when those that were submitted are settled. */
  async close(): Promise<void> {
    this.#closed = true
    while (this.#draining !== null || this.#queue.length > 0) await this.#drain()
  }

  /** Runs a task that writes too in its turn: after the writes that were submitted before, before those submitted later. */
  inTurn<T>(task: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new DatabaseClosedError())
    const earlier = this.#queue
    this.#queue = []
    const result = (this.#draining ?? Promise.resolve()).then(() => this.#commitBatch(earlier)).then(task)
    this.#occupy(result)
    return result
  }

  /** A tick that is asked for by a microtask comes when no microtask is left: at the end of the turn. */
  #schedule(): void {
    if (this.#scheduled || this.#draining !== null) return
    this.#scheduled = true
    queueMicrotask(() => process.nextTick(this.#drainScheduled))
  }

  readonly #drainScheduled = (): void => {
    this.#scheduled = false
    void this.#drain()
  }

  #drain(): Promise<void> {
    if (this.#draining !== null) return this.#draining
    const batch = this.#queue
    this.#queue = []
    return this.#occupy(this.#commitBatch(batch))
  }

  /** Lets no write begin before this work is done. */
  #occupy(work: Promise<unknown>): Promise<void> {
    const done = () => {
      if (this.#draining !== draining) return
      this.#draining = null
      if (this.#queue.length > 0) this.#schedule()
    }
    const draining = work.then(done, done)
    this.#draining = draining
    return draining
  }

  async #commitBatch(batch: readonly QueuedWrite[]): Promise<void> {
    if (batch.length === 0) return
    try {
      await this.#commit(batch)
    } catch (error) {
      if (batch.length === 1 || !(error instanceof StorageError)) {
        for (const { reject } of batch) reject(error)
      } else {
        await this.#commitApart(batch)
      }
    }
  }

  /** One write that the engine cannot take, as one for which the disk has no room, must not fail the others. */
  async #commitApart(batch: readonly QueuedWrite[]): Promise<void> {
    for (const queued of batch) await this.#commit([queued]).catch(queued.reject)
  }

  async #commit(queued: readonly QueuedWrite[]): Promise<void> {
    let batch = queued
    while (batch.length > 0) {
      const { catalogVersion } = this.#filing
      const writes = batch.map(({ write }) => write)
      const result = await this.#driver.commit({ catalogVersion, writes })
      if (result.type === 'done') {
        batch.forEach(({ resolve, reject }, index) => {
          const outcome = result.outcomes[index]!
          if (outcome.type === 'failed') reject(outcome.error)
          else resolve(outcome)
        })
        return
      }
      this.#filing.update(result.catalog)
      batch = batch.flatMap((write) => this.#refiled(write) ?? [])
    }
  }

  /** Filed by the catalogue as it is known now; `null`: it can no longer be written, and was rejected. */
  #refiled(queued: QueuedWrite): QueuedWrite | null {
    try {
      return { ...queued, write: this.#filing.refile(queued.write) }
    } catch (error) {
      queued.reject(error)
      return null
    }
  }
}
