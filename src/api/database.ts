// All methods of a database are in one class, because users read it from top to bottom.
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
import { paceCalls } from '../time/give-way.ts'
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

// Loaded by the first call, because most programs never run a unit of work.
let runUnitOfWork: typeof RunUnitOfWork | undefined
let runSnapshot: typeof RunSnapshot | undefined
let listenQueue: typeof ListenQueue | undefined

/** The store of a database; `null` for anything else. */
export let storeOf: (database: unknown) => Store | null

/**
 * An open database. Once it is closed, every call rejects with DatabaseClosedError.
 *
 * An invalid key is a TypeError, and one that is too long a RangeError. A call rejects with DatabaseBusyError if others have held
 * the lock for `busyTimeout`, and with StorageError if the engine fails. A read rejects with CorruptValueError if a stored value
 * cannot be decoded. A write that rejects has written nothing.
 */
export class Database<R extends Definitions = readonly [], E extends EngineName = 'sqlite'>
  extends TypedStore<R>
  implements AsyncDisposable
{
  /**
   * Plain Drizzle over this database, on a separate connection, for queries that repositories do not have: joins, subqueries,
   * reports.
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
   * Statements run at once and see expired rows. Use it to read: what you write with it is not validated, gets no version, and
   * reaches no watcher. Throws a DatabaseClosedError if the database is closed.
   */
  get drizzle(): Engines[E]['drizzle'] {
    this.#store.assertOpen()
    return this.#plain.drizzle
  }
  /** The engine that keeps this database: `'sqlite'` or `'postgres'`. */
  get engine(): EngineName {
    return this.#plain.engine as EngineName
  }
  /**
   * This database, typed as one of this engine, with that engine's `drizzle` and `tables`. Use it if the address is only known
   * when the program runs. Throws a TypeError if the database uses another engine; check `engine` first.
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
    paceCalls(Database.prototype, ['listenQueue', 'close', 'destroy'])
  }

  constructor(store: Store, plain: PlainDrizzle<Engines[E]>, destroyOnClose: boolean) {
    super(store)
    this.tables = plain.tables
    this.#plain = plain
    this.#store = store
    this.#destroyOnClose = destroyOnClose
    // Sent to another thread, a database would arrive as an empty object. A symbol cannot be cloned, and the error shows its text.
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
   * Runs a function whose reads and writes are one serializable transaction. It reads one consistent snapshot. Its writes commit
   * together after it has returned, and only if nobody else has changed what it has read. If somebody has, everything is
   * discarded and the function runs again, so let it only read and write. After several runs it gets a turn, during which the
   * commits of others wait, in every process, for a time in proportion to its own. A function that only reads never runs again.
   * Resolves to the return value of the function.
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
   * Rejects with ConflictError if the retries or the time run out, with the reason of the signal, with what the function throws,
   * and with the errors of its writes: then nothing is written. A unit inside a unit is a TypeError.
   *
   * Write with the unit, and await each call: a write with `db` inside the function commits at once, and stays if the unit fails.
   */
  async unitOfWork<T>(
    work: (unit: UnitOfWork<R>) => T | Promise<T>,
    options: UnitOfWorkOptions = {},
  ): Promise<T> {
    runUnitOfWork ??= (await import('../unit-of-work/run-unit-of-work.ts')).runUnitOfWork
    return runUnitOfWork(this.#store, work, options)
  }

  /**
   * Runs a function that reads one state of the database, whatever others commit meanwhile: by key, from repositories, with
   * related rows, lists and pages. It takes no lock, and never runs again. Resolves to the return value of the function.
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
   * Rejects with the reason of the signal, with what the function throws, and with SnapshotExpiredError if it reads for longer
   * than `snapshotTimeout`. A write in it, or a snapshot inside a snapshot or a unit of work, is a TypeError.
   */
  async snapshot<T>(
    read: (view: SnapshotView<R>) => T | Promise<T>,
    options: SnapshotOptions = {},
  ): Promise<T> {
    runSnapshot ??= (await import('../unit-of-work/snapshot.ts')).runSnapshot
    return runSnapshot(this.#store, read, options)
  }

  /**
   * Watches keys: returns a stream of their entries, now and each time at least one of them changes, in any process or by expiry.
   * Each read gets the newest state, from one snapshot; states in between are skipped. Without keys, the stream gives one empty
   * tuple, and then waits until you end it. Throws a TypeError if a key is not valid.
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
   * Follows the changes of every key below `prefix`, or of all keys: returns a stream of the commits of all processes, in order,
   * each change once. To continue later, pass the versionstamp that you have reached as `since`.
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
   * The stream fails with LogTrimmedError if the log no longer keeps what came after `since` (the option `log` of `open` says how
   * much it keeps), and with RangeError if `since` is later than all commits.
   */
  changes<const P extends Key = readonly []>(
    options: ChangesOptions & { readonly prefix?: P } = {},
  ): ReadableStream<Change<Key, SelectedValue<R, { readonly prefix: P }>>> {
    checkWatchOptions(options, 'changes', ['prefix', 'since', 'signal'])
    const range = prefixRange(encodePrefix(options.prefix ?? [], this.#store.limits.keyBytes))
    return watchChanges(
      this.#store,
      range,
      () => true,
      (change) => change as Change<Key, SelectedValue<R, { readonly prefix: P }>>,
      options,
    )
  }

  /**
   * Delivers the messages of `enqueue` to a handler as they become due. Resolves when the database is closed. Each message goes
   * to one listener, in this process or another; a listener has at most a hundred in hand.
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
   * A message is done when the handler returns, or its promise resolves. If the handler fails, the message is delivered again by
   * its `backoffSchedule`, and the failure is a process warning with the code `QUEUE_LISTENER`; after the last time, its value is
   * written under its `keysIfUndelivered`. If the process dies, the message is delivered again after 15 s; if the database was
   * closed, at once. So a handler may get a message twice.
   *
   * A message that this database cannot take, as it lacks a value type or has smaller `limits`, is left for others, with the same
   * warning each time it is met, at growing intervals of up to a minute. The messages behind it are delivered.
   *
   * Aborting the `signal` also ends it, once the running handlers have ended. Rejects with DatabaseClosedError if the database is
   * already closed, and with StorageError if it was opened with `readOnly`. A listener keeps the process alive.
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
   * Removes every value, after the writes that began before it. A unit of work, an `insertMany` or another call that commits
   * several times may commit again afterwards: await it first. Versionstamps keep growing, and watchers hear of it.
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
    await untilAborted(this.#store.clear(options.signal), options.signal)
  }

  /**
   * Removes expired values, and returns how many there were. This also happens in the background; no read ever sees them. Rejects with
   * StorageError if the database was opened with `readOnly`.
   *
   * ```ts
   * await db.cleanup() // => 0
   * ```
   */
  async cleanup(options: CallOptions = {}): Promise<number> {
    checkCallOptions(options, 'cleanup')
    this.#store.assertOpen()
    return untilAborted(this.#store.cleanup(options.signal), options.signal)
  }

  /**
   * The figures of the database: the rows and bytes of each repository, the size of indexes, log, file and write-ahead log, and
   * what expires soon.
   *
   * ```ts
   * const { repositories, expiring } = await db.stats()
   * repositories.find(({ repository }) => repository === 'users')?.rows // => 2
   * expiring.hour // => 0
   * ```
   *
   * It reads all rows and all pages of the indexes, from one state of the file, with pauses for timers and I/O. Rejects with the
   * reason of the signal.
   */
  async stats(options: CallOptions = {}): Promise<DatabaseStats> {
    checkCallOptions(options, 'stats')
    options.signal?.throwIfAborted()
    this.#store.assertOpen()
    return untilAborted(this.#store.driver.stats(options.signal), options.signal)
  }

  /**
   * Copies the database into a file, as it is at one moment, while others keep reading and writing. The copy gets its name only
   * when it is checked (the engine's check of all pages, its size, its newest version), on the disk, and has the database's
   * permissions. So there is never half a backup. It is an ordinary database: open it, or copy it elsewhere.
   *
   * ```ts
   * const { versionstamp } = await db.set(['lamp'], 'on')
   * const backup = await db.backup('./monday.db')
   * backup.versionstamp === versionstamp // => true
   * ```
   *
   * For a database in memory, the moment is the end of the backup. Rejects with DatabaseOpenError if the file already exists
   * (without `overwrite`) or cannot be made, with DatabaseBusyError if others have the file open that you overwrite, with
   * StorageError if the disk is full or fails or the database is damaged, with the reason of the signal, and with
   * DatabaseClosedError if you close the database meanwhile. Then it leaves nothing behind.
   */
  async backup(path: string | URL, options: BackupOptions = {}): Promise<Backup> {
    const target = checkBackup(path, options)
    options.signal?.throwIfAborted()
    this.#store.assertOpen()
    return this.#store.driver.backup(target, options)
  }

  /**
   * Finishes the writes that have begun, ends the streams, and closes the database. A second call does nothing.
   *
   * If you opened it with `destroyOnClose`, this also removes its files, and rejects, as `destroy` does. If it rejected with
   * DatabaseBusyError, because others still have the file open, the next call tries again.
   *
   * ```ts
   * await db.close()
   * await db.get(['users', 'alice']) // => throws DatabaseClosedError
   * ```
   */
  async close(): Promise<void> {
    await (this.#destroyOnClose ? this.#store.closeAndRemove() : this.#store.close())
  }

  /**
   * Closes the database and removes its files. If the path is a symbolic link, the link stays, and the files that it leads to are
   * removed.
   *
   * Rejects with DatabaseBusyError if others still have the file open after `busyTimeout`: the database is then closed, its files
   * stay, and you may call it again. Rejects with DatabaseClosedError if it was closed in another way. Rejects with StorageError, and
   * leaves the files as they are, if the database was opened with `readOnly`, or if another file has replaced its own.
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
   * Closes the database at the end of the block that opened it with `await using`.
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
