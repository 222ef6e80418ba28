// The methods of a database are one class, which users read from top to bottom with its comments.
import type { InspectOptions } from 'node:util'
import { type CallOptions, checkCallOptions, checkSignal } from '../arguments/call-options.ts'
import { inspected, inspectName } from '../contract/inspected.ts'
import type { Key } from '../contract/key.types.ts'
import type { listenQueue as ListenQueue } from '../delivery/listen-queue.ts'
import type { Backup, BackupOptions } from '../driver/backup.ts'
import type { PlainDrizzle } from '../driver/engine.ts'
import type { DatabaseStats } from '../driver/stats.ts'
import type { EngineName, Engines } from '../engines/engines.ts'
import { encodePrefix } from '../key/codec.ts'
import { prefixRange } from '../key/range.ts'
import { checkReadOptions, type ReadOptions } from '../key-value/read-options.ts'
import { TypedStore } from '../repository/typed-store.ts'
import type { Definitions, SelectedValue, WatchEntries } from '../schema/registry.types.ts'
import { StoreAtomicOperation } from '../store/atomic-operation.ts'
import type { AtomicOperation } from '../store/atomic-operation.types.ts'
import type { Store } from '../store/store.ts'
import { untilAborted } from '../time/until-aborted.ts'
import { traceCalls } from '../trace/trace-calls.ts'
import type { runUnitOfWork as RunUnitOfWork, UnitOfWorkOptions } from '../unit-of-work/run-unit-of-work.ts'
import type { runSnapshot as RunSnapshot, SnapshotOptions, SnapshotView } from '../unit-of-work/snapshot.ts'
import type { UnitOfWork } from '../unit-of-work/unit-of-work.ts'
import type { Change, ChangesOptions } from '../watch/change.types.ts'
import { watchChanges } from '../watch/watch-changes.ts'
import { watchEntries } from '../watch/watch-keys.ts'
import { checkWatchOptions, type WatchOptions } from '../watch/watch-options.ts'
import { checkBackup } from './backup-options.ts'

// Loaded with the first call: most programs start without one.
let runUnitOfWork: typeof RunUnitOfWork | undefined
let runSnapshot: typeof RunSnapshot | undefined
let listenQueue: typeof ListenQueue | undefined

/** The store of a database; `null` of what is none. */
export let storeOf: (database: unknown) => Store | null

/**
 * An open database. Once it is closed, every call rejects with DatabaseClosedError.
 *
 * What is not a key is a TypeError, or a RangeError where it is too long. A call rejects with DatabaseBusyError if others
 * have held the lock for `busyTimeout`, with StorageError where the engine fails, and a read with CorruptValueError where
 * what is stored cannot be decoded. A write that rejects has written nothing.
 */
export class Database<R extends Definitions = readonly [], E extends EngineName = 'sqlite'>
  extends TypedStore<R>
  implements AsyncDisposable
{
  /**
   * Plain Drizzle over this database, on a connection of its own, for what the repositories do not ask: joins, subqueries, reports.
   *
   * ```ts
   * import { sql } from 'drizzle-orm'
   *
   * const { kv } = db.tables
   * const name = sql<string>`${kv.value} ->> '$.name'`
   * const names = db.drizzle.select({ name }).from(kv).where(sql`${kv.collection} = 'users'`)
   * names.all() // => [{ name: 'Alice' }, { name: 'Bob' }]
   * ```
   *
   * Statements run at once and see rows that have expired. Use it to read: what it writes is not validated, has no version,
   * and no watcher learns of it.
   */
  get drizzle(): Engines[E]['drizzle'] {
    return this.#plain.drizzle
  }
  /** The engine that keeps this database: `'sqlite'` or `'postgres'`. */
  get engine(): EngineName {
    return this.#plain.engine as EngineName
  }
  /**
   * This database, typed as one of this engine, whose `drizzle` and `tables` are its own: for an address that is only known when the
   * program runs. Throws a TypeError if it is of another engine, which `engine` tells before.
   *
   * ```ts
   * const { kv } = db.as('sqlite').tables
   * db.as('sqlite').drizzle.select({ version: kv.version }).from(kv).all().length // => 3
   * db.as('postgres') // => throws TypeError
   * ```
   */
  as<N extends EngineName>(engine: N): Database<R, N> {
    if (engine === this.engine) return this as unknown as Database<R, N>
    throw new TypeError(
      `This database uses the engine '${this.engine}', not '${engine}': check db.engine first`,
    )
  }
  /** The Drizzle tables of this database: `kv`, `kvLog` and `kvCollections`, as `kvTables` makes them. */
  readonly tables: Engines[E]['tables']
  readonly #store: Store
  readonly #plain: PlainDrizzle<Engines[E]>
  readonly #destroyOnClose: boolean

  static {
    const names = ['unitOfWork', 'snapshot', 'clear', 'cleanup', 'stats', 'backup'] as const
    const subjectOf = (database: Database<Definitions>) => ({
      database: database.#store.path,
      repository: null,
      pattern: null,
    })
    storeOf = (database) =>
      typeof database === 'object' && database !== null && #store in database ? database.#store : null
    traceCalls(Database.prototype, names, subjectOf, 'anything')
  }

  constructor(store: Store, plain: PlainDrizzle<Engines[E]>, destroyOnClose: boolean) {
    super(store)
    this.tables = plain.tables
    this.#plain = plain
    this.#store = store
    this.#destroyOnClose = destroyOnClose
    // Else a message to another thread would carry an empty object: a symbol cannot be cloned, and its text is told.
    const value = Symbol('a database stays in its thread: open the file in the other thread, too')
    Object.defineProperty(this, 'thread', { value, enumerable: true })
  }

  /**
   * Starts an atomic operation: checks and mutations that commit together or not at all.
   *
   * ```ts
   * await db.atomic().set(['lamp'], 'on').sum(['switched'], 1n).commit() // => { ok: true, versionstamp: '…' }
   * ```
   */
  atomic(): AtomicOperation<R> {
    return new StoreAtomicOperation(this.#store) as AtomicOperation<R>
  }

  /**
   * Runs a function whose reads and writes are one serializable transaction: what it reads is one consistent snapshot, what
   * it writes is committed in one go after it has returned, and nobody else has changed in between what it has read.
   * When somebody has, everything is discarded and the function runs again, so it should do nothing else than
   * read and write. After several such runs it runs in a turn, in which the commits of others wait, in every process, for a time
   * in proportion to its own. One that only reads never runs again. Resolves to what the function returned.
   *
   * ```ts
   * await db.unitOfWork(async ({ repositories }) => {
   *   const from = await repositories.accounts.get('alice')
   *   const to = await repositories.accounts.get('bob')
   *   if (from.value === null || to.value === null) throw new Error('no such account')
   *   from.value.balance -= 30 // a loaded value that is changed in place is written at the end
   *   to.value.balance += 30
   * })
   * const bob = await accounts.get('bob')
   * bob.value // => { balance: 30 }
   * ```
   *
   * Rejects with ConflictError when the retries or the time run out, with the reason of the signal, with what the function
   * throws, and with the errors of its writes: nothing of it is written then. A unit within a unit is a TypeError.
   *
   * Write through the unit, and await each call: what you write through `db` in the function is committed at once, and stays where
   * the unit fails.
   */
  async unitOfWork<T>(
    work: (unit: UnitOfWork<R>) => T | Promise<T>,
    options: UnitOfWorkOptions = {},
  ): Promise<T> {
    runUnitOfWork ??= (await import('../unit-of-work/run-unit-of-work.ts')).runUnitOfWork
    return runUnitOfWork(this.#store, work, options)
  }

  /**
   * Runs a function whose reads are all of one state of the database, whatever is committed meanwhile: by key, of repositories,
   * with related rows, lists and pages. It takes no lock, and never runs again. Resolves to what the function returned.
   *
   * ```ts
   * const total = await db.snapshot(async ({ repositories: { accounts } }) => {
   *   let sum = 0
   *   for await (const { value } of accounts.list()) sum += value.balance
   *   const { sum: counted } = await accounts.aggregate({ sum: 'balance' })
   *   return [sum, counted]
   * })
   * total // => [100, { balance: 100 }]
   * ```
   *
   * Rejects with the reason of the signal, with what the function throws, and with SnapshotExpiredError if it reads for
   * longer than `snapshotTimeout`. A write in it, and a snapshot within a snapshot or a unit of work, is a TypeError.
   */
  async snapshot<T>(
    read: (view: SnapshotView<R>) => T | Promise<T>,
    options: SnapshotOptions = {},
  ): Promise<T> {
    runSnapshot ??= (await import('../unit-of-work/snapshot.ts')).runSnapshot
    return runSnapshot(this.#store, read, options)
  }

  /**
   * Watches keys: a stream of their entries, as they are now and then each time that at least one of them has changed, by
   * whichever process, by expiry too. Each read gives the newest state, from one snapshot; states in between that were not
   * read are skipped. Of no keys at all it gives one empty tuple, and then waits until it is ended. Throws a TypeError for
   * what are not keys.
   *
   * ```ts
   * const scores: unknown[] = []
   * for await (const [ada, round] of db.watch([['players', 'ada'], ['round']])) {
   *   scores.push([ada.value?.score, round.value])
   *   if (round.value === null) await db.set(['round'], 1)
   *   else break
   * }
   * scores // => [[7, null], [7, 1]]
   * ```
   */
  watch<const Keys extends readonly Key[]>(
    keys: Keys,
    options: WatchOptions & ReadOptions = {},
  ): ReadableStream<WatchEntries<R, Keys>> {
    checkReadOptions(options, 'watch', ['signal'])
    checkSignal(options, 'watch')
    return watchEntries(this.#store, keys, options) as ReadableStream<never>
  }

  /**
   * Follows the changes of every key below `prefix`, of all keys without one: a stream of what is committed, by whichever
   * process, in the order of the commits, each change once. Given as `since` the versionstamp that it has reached, another
   * one goes on from there.
   *
   * ```ts
   * const { versionstamp } = await db.set(['round'], 1)
   * await db.delete(['players', 'ada'])
   *
   * const changes = db.changes({ prefix: ['players'], since: versionstamp }).getReader()
   * const { value: change } = await changes.read()
   * change // => { type: 'delete', key: ['players', 'ada'], versionstamp: '…', value: null }
   * await changes.cancel()
   * ```
   *
   * The stream fails with LogTrimmedError when what came after `since` is no longer kept (the option `log` of `open` tells
   * how much is), and with RangeError if `since` is later than all commits.
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

  /**
   * Delivers what `enqueue` has put into the queue to a handler, as it becomes due, until the database is closed: then it resolves.
   * Of several listeners, in this process or in others, one has each message; a listener has a hundred in hand at most.
   *
   * ```ts
   * const heard: string[] = []
   * const stop = new AbortController()
   * const listening = db.listenQueue((message: { to: string }) => {
   *   heard.push(message.to)
   *   stop.abort()
   * }, { signal: stop.signal })
   * await db.enqueue({ to: 'alice' })
   * await listening
   * heard // => ['alice']
   * ```
   *
   * A message is done when the handler has returned, or its promise has resolved. One whose handler fails is delivered again, as its
   * `backoffSchedule` says, and the failure is a process warning with the code `QUEUE_LISTENER`; after the last time its value is
   * written under its `keysIfUndelivered`. One whose process dies is delivered again after 15 s, by others at once where the database was
   * closed. So a handler must bear being given a message twice.
   *
   * Aborting the `signal` ends it as well, once the handlers that are running have ended. Rejects with DatabaseClosedError on a database that is
   * closed already, and with StorageError on one that is opened with `readOnly`. A listener keeps the process alive.
   */
  async listenQueue<T = unknown>(handler: (message: T) => unknown, options: CallOptions = {}): Promise<void> {
    if (typeof handler !== 'function') throw new TypeError('listenQueue takes a function of the message')
    checkCallOptions(options, 'listenQueue')
    this.#store.assertOpen()
    this.#store.driver.assertWritable()
    listenQueue ??= (await import('../delivery/listen-queue.ts')).listenQueue
    await listenQueue(this.#store, handler as (message: unknown) => unknown, options.signal)
  }

  /**
   * Removes every value, after the writes that were begun before; a unit of work, and an `insertMany` or another call that commits
   * several times, may commit again after it: await it first. Versionstamps go on growing, and watchers learn of it.
   *
   * ```ts
   * await db.clear()
   * await users.count() // => 0
   * ```
   */
  async clear(options: CallOptions = {}): Promise<void> {
    checkCallOptions(options, 'clear')
    options.signal?.throwIfAborted()
    this.#store.assertOpen()
    await untilAborted(this.#store.clear(), options.signal)
  }

  /**
   * Removes the values that have expired, which happens by itself too; gives how many there were. No read sees them before.
   *
   * ```ts
   * await db.cleanup() // => 0
   * ```
   */
  async cleanup(options: CallOptions = {}): Promise<number> {
    checkCallOptions(options, 'cleanup')
    this.#store.assertOpen()
    return this.#store.cleanup(options.signal)
  }

  /**
   * The figures of the database: how many rows and bytes each repository has, what its indexes and its log take, how large the file
   * and the write-ahead log beside it are, and what expires soon.
   *
   * ```ts
   * const { repositories, expiring } = await db.stats()
   * repositories.find(({ repository }) => repository === 'users')?.rows // => 2
   * expiring.hour // => 0
   * ```
   *
   * It reads all rows and all pages of the indexes, with pauses for timers and I/O, of one state of the file. Rejects with the reason of the
   * signal.
   */
  async stats(options: CallOptions = {}): Promise<DatabaseStats> {
    checkCallOptions(options, 'stats')
    options.signal?.throwIfAborted()
    this.#store.assertOpen()
    return untilAborted(this.#store.driver.stats(options.signal), options.signal)
  }

  /**
   * Copies the database into a file, as it is at one moment, while others go on reading and writing. The copy is checked (the engine's
   * check of all pages, its size, its newest version), is on the disk, and has the database's permissions; only then it gets its name, so
   * that there is never half a backup, whatever happens. It is a database like any other: open it, or copy it elsewhere.
   *
   * ```ts
   * const { versionstamp } = await db.set(['lamp'], 'on')
   * const backup = await db.backup('./monday.db')
   * backup.versionstamp === versionstamp // => true
   * ```
   *
   * Of a database in memory, the moment is the end of the backup. Rejects with a DatabaseOpenError if the file is there already,
   * unless `overwrite`, or cannot be made; with DatabaseBusyError if others have open what is to be overwritten; with StorageError
   * where the disk is full or fails, or the database is damaged; with the reason of the signal; and with DatabaseClosedError where the
   * database is closed meanwhile. Nothing is left behind then.
   */
  async backup(path: string | URL, options: BackupOptions = {}): Promise<Backup> {
    const target = checkBackup(path, options)
    options.signal?.throwIfAborted()
    this.#store.assertOpen()
    return this.#store.driver.backup(target, options)
  }

  /**
   * Settles the writes that were begun, ends the streams, then closes the database, and removes its files where it was opened
   * with `destroyOnClose`, as `destroy` does. A second call does nothing more.
   *
   * ```ts
   * await db.close()
   * await db.get(['users', 'alice']) // => throws DatabaseClosedError
   * ```
   */
  async close(): Promise<void> {
    await (this.#destroyOnClose ? this.#store.destroy() : this.#store.close())
  }

  /**
   * Closes the database and removes its files; where the path is a symbolic link, those that it leads to, and the link stays.
   *
   * Rejects with DatabaseBusyError if others still have the file open after `busyTimeout`: then the database is closed, its files
   * stay, and you may call it again. Rejects with StorageError, with the files left as they are, where the database is opened with
   * `readOnly`, and where another file has come in the place of its own.
   *
   * ```ts
   * const scratch = await Valkeyrie.open('./scratch.db')
   * await scratch.destroy()
   * ```
   */
  async destroy(): Promise<void> {
    await this.#store.destroy()
  }

  /**
   * Closes the database at the end of the block in which it was opened by `await using`.
   *
   * ```ts
   * {
   *   await using scratch = await Valkeyrie.open()
   *   await scratch.set(['lamp'], 'on')
   * }
   * ```
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  [inspectName](_depth: number, options: InspectOptions): string {
    const { path, registry, isClosed: closed } = this.#store
    const repositories = registry.definitions.map(({ name }) => name)
    return inspected('Database', { path, repositories, closed }, options)
  }
}
