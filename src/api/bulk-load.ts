import { setImmediate as nextTurn } from 'node:timers/promises'
import { checkSignal } from '../arguments/call-options.ts'
import { checkOptionNames } from '../arguments/option-names.ts'
import { noChecks, type SetMutation } from '../commit/write.ts'
import {
  ConnectionError,
  DatabaseBusyError,
  DatabaseClosedError,
  MigrationError,
  StorageError,
} from '../contract/errors.ts'
import type { Key, KeyPart } from '../contract/key.types.ts'
import { locate } from '../engines/engines.ts'
import { encodePrefix } from '../key/codec.ts'
import { storeOfFace } from '../key-value/key-value.ts'
import type { Definitions } from '../schema/registry.types.ts'
import { storeUnder } from '../store/abortable-store.ts'
import { expiryTime } from '../store/expiry.ts'
import type { RowStore } from '../store/row-store.ts'
import { pauseDue } from '../time/give-way.ts'
import { itemsUntilAborted, untilAborted } from '../time/until-aborted.ts'
import type { Database } from './database.ts'
import { checkOpenOptions, type OpenOptions, openOptionNames } from './open-options.ts'

/** How `from` and `fromAsync` load items, besides how to open the database. */
export interface LoadOptions<T> extends OpenOptions {
  /** What the key of every item begins with. */
  readonly prefix: Key
  /** The last part of the key: the name of the property that holds it, or a function that returns it. */
  readonly keyProperty: (keyof T & string) | ((item: T) => KeyPart)
  /** The file, created if there is none. Left out: a database in memory. */
  readonly path?: string | URL | undefined
  /** How many milliseconds after it is stored an item expires; above 0. Left out: never. */
  readonly expireIn?: number | undefined
  /**
   * Called after each thousand items and at the end, with the number of items done, and the total if it is known. The load waits for
   * its promise, if it returns one, and rejects with what it throws.
   */
  readonly onProgress?: ((processed: number, total?: number) => void) | undefined
  /**
   * What to do with an item that cannot be stored: reject the call (`'stop'`, the default), or skip it (`'continue'`). With
   * `'stop'`, the items after one that has no key or that its schema refuses are not stored; after one that clashes in a unique index,
   * those in its transaction may be. A failure of the database, such as a full disk, always rejects the call.
   */
  readonly onError?: 'stop' | 'continue' | undefined
  /** Gets each item that cannot be stored, with its error. The load waits for it as for `onProgress`, and rejects with what it throws. */
  readonly onErrorCallback?: ((error: unknown, item: T) => void) | undefined
  /**
   * Aborting it rejects the call with its reason and closes the database, even while the source stalls. What was stored so far
   * stays.
   */
  readonly signal?: AbortSignal | undefined
}

const ownNames = [
  'prefix',
  'keyProperty',
  'path',
  'expireIn',
  'onProgress',
  'onError',
  'onErrorCallback',
  'signal',
]
const itemsPerCommit = 1_000
const failuresOfDatabase = [
  ConnectionError,
  DatabaseBusyError,
  DatabaseClosedError,
  MigrationError,
  StorageError,
]

/** Splits the options of a load into those of `open` and checks all of them before anything is opened. */
export function openOptionsOf<T>(options: LoadOptions<T>): OpenOptions {
  const { engine } = locate(options?.path)
  checkOptionNames(options, [...ownNames, ...openOptionNames(engine)], 'from')
  const {
    prefix,
    keyProperty,
    path: _,
    expireIn,
    onProgress,
    onError,
    onErrorCallback,
    signal,
    ...open
  } = options
  if (!Array.isArray(prefix))
    throw new TypeError("prefix must be the beginning of every key, such as ['users']")
  encodePrefix(prefix, options.limits?.keyBytes)
  expiryTime(expireIn, Date.now())
  if (typeof keyProperty !== 'string' && typeof keyProperty !== 'function') {
    throw new TypeError(
      'keyProperty must be the name of a property of the items, or a function that returns the last part of the key',
    )
  }
  if (onError !== undefined && onError !== 'stop' && onError !== 'continue') {
    throw new TypeError("onError must be 'stop' or 'continue'")
  }
  checkFunction(onProgress, 'onProgress')
  checkFunction(onErrorCallback, 'onErrorCallback')
  checkSignal({ signal }, 'from')
  checkOpenOptions(open, engine)
  return open
}

function checkFunction(value: unknown, name: string): void {
  if (value !== undefined && typeof value !== 'function') throw new TypeError(`${name} must be a function`)
}

/** Throws a TypeError if `items` cannot be iterated over. */
export function checkItems(items: unknown, call: string): void {
  const isIterable =
    typeof items === 'string' ||
    (typeof items === 'object' &&
      items !== null &&
      (Symbol.iterator in items || Symbol.asyncIterator in items))
  if (!isIterable) throw new TypeError(`${call} takes an iterable of items, as an array or a generator`)
}

/** Stores items, a thousand in one transaction. Each is its own commit, so a bad item does not affect the others. */
export async function load<T, R extends Definitions>(
  database: Database<R>,
  items: Iterable<T> | AsyncIterable<T>,
  options: LoadOptions<T>,
): Promise<void> {
  const loading = new Loading(storeUnder(storeOfFace(database)!, options.signal), options, countOf(items))
  const source = Symbol.asyncIterator in items ? itemsUntilAborted(items, options.signal) : items
  for await (const item of source as AsyncIterable<T>) {
    const pending = loading.add(item)
    if (pending !== undefined) await pending
  }
  await loading.end()
}

/** How many there are; `undefined` if only reading them tells. */
function countOf(items: object): number | undefined {
  if (Array.isArray(items)) return items.length
  return items instanceof Set || items instanceof Map ? items.size : undefined
}

/** An item, and what writes it; rejected if it cannot be stored. */
interface Prepared<T> {
  readonly item: T
  readonly mutation: SetMutation | Promise<SetMutation>
}

/** Collects items, and commits them whenever there are enough for a transaction. */
class Loading<T> {
  readonly #store: RowStore
  readonly #options: LoadOptions<T>
  readonly #stops: boolean
  readonly #total: number | undefined
  #batch: Prepared<T>[] = []
  #processed = 0
  /** Whether an item is bad, and the load stops there. */
  #isAtEnd = false

  constructor(store: RowStore, options: LoadOptions<T>, total: number | undefined) {
    this.#store = store
    this.#options = options
    this.#stops = options.onError !== 'continue'
    this.#total = total
  }

  /** Gives a promise if there is something to wait for before the next item. */
  add(item: T): Promise<void> | undefined {
    this.#options.signal?.throwIfAborted()
    const mutation = this.#prepared(item)
    this.#batch.push({ item, mutation })
    if (this.#batch.length === itemsPerCommit) return this.#storeBatch()
    return mutation instanceof Promise ? this.#look(mutation) : pauseDue()
  }

  #prepared(item: T): Prepared<T>['mutation'] {
    const { expireIn } = this.#options
    try {
      return this.#store.prepareSet(keyOf(item, this.#options), item, { expireIn })
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Stops reading once an item is known to be bad, because the next one may take its time. */
  async #look(mutation: Promise<unknown>): Promise<void> {
    mutation.catch(() => {
      this.#isAtEnd = this.#stops
    })
    // Most bad items are known to be by now: only an asynchronous schema takes longer.
    await undefined
    await (this.#isAtEnd ? this.#storeBatch() : pauseDue())
  }

  /** Stores the rest. */
  async end(): Promise<void> {
    if (this.#batch.length > 0) await this.#storeBatch()
  }

  async #storeBatch(): Promise<void> {
    const { signal, onErrorCallback, onProgress } = this.#options
    const batch = this.#batch
    this.#batch = []
    const outcomes = await this.#commit(batch)
    // The items are not bad.
    signal?.throwIfAborted()
    const errors = outcomes.flatMap((outcome, i) =>
      outcome.status === 'rejected' ? [{ error: outcome.reason as unknown, item: batch[i]!.item }] : [],
    )
    for (const { error } of errors) if (isOfDatabase(error)) throw error
    for (const { error, item } of errors) await onErrorCallback?.(error, item)
    if (this.#stops && errors.length > 0) throw errors[0]!.error
    this.#processed += batch.length
    await onProgress?.(this.#processed, this.#total)
    await nextTurn()
  }

  /** Commits each item, or those before the first that cannot be stored, if the load stops there. */
  async #commit(batch: readonly Prepared<T>[]): Promise<PromiseSettledResult<unknown>[]> {
    const preparing = Promise.allSettled(batch.map(({ mutation }) => mutation))
    const prepared = await untilAborted(preparing, this.#options.signal)
    const bad = this.#stops ? prepared.findIndex(({ status }) => status === 'rejected') : -1
    const committing = (bad < 0 ? prepared : prepared.slice(0, bad)).map((one) =>
      one.status === 'rejected' ? Promise.reject(one.reason) : this.#store.commit(writeOf(one.value)),
    )
    const outcomes = await Promise.allSettled(committing)
    return bad < 0 ? outcomes : [...outcomes, prepared[bad]!]
  }
}

const writeOf = (mutation: SetMutation) => ({ checks: noChecks, mutations: [mutation] })

/** Whether the database failed, not the item: the next ones would fail as well. */
function isOfDatabase(error: unknown): boolean {
  return failuresOfDatabase.some((type) => error instanceof type)
}

function keyOf<T>(item: T, { prefix, keyProperty }: LoadOptions<T>): Key {
  const part = typeof keyProperty === 'function' ? keyProperty(item) : (item?.[keyProperty] as KeyPart)
  if (part === undefined || part === null) {
    throw new TypeError(`keyProperty gives no key for an item: it is ${String(part)}`)
  }
  return [...prefix, part]
}
