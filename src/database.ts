import type { PlainDrizzle } from './driver/sqlite/open.ts'
import { encodePrefix } from './key/codec.ts'
import { prefixRange } from './key/range.ts'
import type { Key } from './key.types.ts'
import { TypedStore } from './repository/typed-store.ts'
import { runUnitOfWork, type UnitOfWorkOptions } from './run-unit-of-work.ts'
import type { Definitions, SelectedValue, WatchEntries } from './schema/registry.types.ts'
import { StoreAtomicOperation } from './store/atomic-operation.ts'
import type { AtomicOperation } from './store/atomic-operation.types.ts'
import type { Store } from './store/store.ts'
import type { UnitOfWork } from './unit-of-work.ts'
import type { Change, ChangesOptions } from './watch/change.types.ts'
import { watchChanges } from './watch/watch-changes.ts'
import { watchEntries } from './watch/watch-keys.ts'
import { checkWatchOptions, type WatchOptions } from './watch/watch-options.ts'

/** An open database. */
export class Database<R extends Definitions = readonly []> extends TypedStore<R> implements AsyncDisposable {
  /**
   * Plain Drizzle over this database's connection, for what the repositories do not ask: joins, subqueries, reports.
   *
   * ```ts
   * const { kv } = db.tables
   * const country = alias(kv, 'country')
   * db.drizzle
   *   .select({ city: sql<string>`${kv.value} ->> '$.name'`, country: sql<string>`${country.value} ->> '$.name.common'` })
   *   .from(kv)
   *   .innerJoin(country, sql`${country.value} ->> '$.cca2' = ${kv.value} ->> '$.country'`)
   *   .where(sql`${kv.collection} = 'cities' and ${country.collection} = 'countries'`)
   *   .all() // [{ city: 'Paris', country: 'France' }, …]
   * ```
   *
   * Statements run at once and see rows that have expired. Use it to read: what it writes is not validated, has no version,
   * and no watcher learns of it.
   */
  readonly drizzle: PlainDrizzle['drizzle']
  /** The Drizzle tables of this database. */
  readonly tables: PlainDrizzle['tables']
  readonly #store: Store
  readonly #destroyOnClose: boolean

  constructor(store: Store, plain: PlainDrizzle, destroyOnClose: boolean) {
    super(store)
    this.drizzle = plain.drizzle
    this.tables = plain.tables
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

  /**
   * Watches keys: a stream of their entries, as they are now and then each time that at least one of them has changed, by whichever
   * process, by expiry too. Each read gives the newest state from one snapshot; states in between that were not read are skipped.
   *
   * ```ts
   * for await (const [alice, count] of db.watch([['users', 'alice'], ['count']])) {
   *   console.log(alice.value, count.value) // null where there is no value
   * }
   * ```
   *
   * Leaving the loop, `cancel`, the signal and closing the database end the stream.
   */
  watch<const Keys extends readonly Key[]>(
    keys: Keys,
    options: WatchOptions = {},
  ): ReadableStream<WatchEntries<R, Keys>> {
    checkWatchOptions(options, 'watch')
    return watchEntries(this.#store, keys, options) as ReadableStream<never>
  }

  /**
   * Follows the changes of every key below `prefix`, of all keys without one: a stream of what was committed, by whichever process,
   * in the order of the commits, each change once. It can be taken up again `since` the versionstamp that was reached.
   *
   * ```ts
   * for await (const { type, key, value } of db.changes({ prefix: ['users'], since })) {
   *   console.log(type, key, value) // 'set', ['users', 'alice'], { … }
   * }
   * ```
   *
   * The stream fails with LogTrimmedError when what came after `since` is no longer kept; the option `log` of `open`
   * tells how much is.
   */
  changes<const P extends Key = readonly []>(
    options: ChangesOptions & { readonly prefix?: P } = {},
  ): ReadableStream<Change<Key, SelectedValue<R, { readonly prefix: P }>>> {
    checkWatchOptions(options, 'changes', ['prefix', 'since', 'signal'])
    const range = prefixRange(encodePrefix(options.prefix ?? []))
    return watchChanges(
      this.#store,
      range,
      () => true,
      (change) => change as Change<Key, SelectedValue<R, { readonly prefix: P }>>,
      options,
    )
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
