import { TypedStore } from './repository/typed-store.ts'
import { runUnitOfWork, type UnitOfWorkOptions } from './run-unit-of-work.ts'
import type { Definitions } from './schema/registry.types.ts'
import { StoreAtomicOperation } from './store/atomic-operation.ts'
import type { AtomicOperation } from './store/atomic-operation.types.ts'
import type { Store } from './store/store.ts'
import type { UnitOfWork } from './unit-of-work.ts'

/** An open database. */
export class Database<R extends Definitions = readonly []> extends TypedStore<R> implements AsyncDisposable {
  readonly #store: Store
  readonly #destroyOnClose: boolean

  constructor(store: Store, destroyOnClose: boolean) {
    super(store)
    this.#store = store
    this.#destroyOnClose = destroyOnClose
  }

  /** Starts an atomic operation: checks and mutations that commit together or not at all. */
  atomic(): AtomicOperation<R> {
    return new StoreAtomicOperation(this.#store) as AtomicOperation<R>
  }

  /**
   * Runs a function whose reads and writes are one serializable transaction: what it reads is one consistent snapshot, what
   * it writes is committed in one go after it has returned, and nobody else changed in between what it has read.
   * When somebody did, everything is discarded and the function runs again, so it should do nothing else than
   * read and write. Resolves to what the function returned.
   *
   * ```ts
   * await db.unitOfWork(async (unit) => {
   *   const from = await unit.repositories.accounts.get('alice')
   *   const to = await unit.repositories.accounts.get('bob')
   *   from.value.balance -= 100 // a loaded value that is changed in place is written at the end
   *   to.value.balance += 100
   * })
   * ```
   *
   * Rejects with ConflictError when the retries or the time run out, and with what the function throws.
   */
  unitOfWork<T>(work: (unit: UnitOfWork<R>) => T | Promise<T>, options: UnitOfWorkOptions = {}): Promise<T> {
    return runUnitOfWork(this.#store, work, options)
  }

  /** Removes every value. Versionstamps go on growing. */
  async clear(): Promise<void> {
    this.#store.assertOpen()
    await this.#store.clear()
  }

  /** Removes the values that have expired, which happens by itself too; gives how many there were. */
  async cleanup(): Promise<number> {
    this.#store.assertOpen()
    return this.#store.cleanup()
  }

  /** Settles the writes that were begun, then closes the database. A second call does nothing more. */
  async close(): Promise<void> {
    await (this.#destroyOnClose ? this.#store.destroy() : this.#store.close())
  }

  /** Closes the database and removes its files. */
  async destroy(): Promise<void> {
    await this.#store.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
