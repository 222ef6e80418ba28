import { setImmediate as nextTurn } from 'node:timers/promises'
import { noChecks, type SetMutation } from '../commit/write.ts'
import {
  ConnectionError,
  DatabaseBusyError,
  DatabaseClosedError,
  MigrationError,
  StorageError,
} from '../contract/errors.ts'
import type { Key, KeyPart } from '../contract/key.types.ts'
import { storeOfFace } from '../key-value/key-value.ts'
import type { Definitions } from '../schema/registry.types.ts'
import { storeUnder } from '../store/abortable-store.ts'
import { expiryTime } from '../store/expiry.ts'
import type { RowStore } from '../store/row-store.ts'
import { pauseDue } from '../time/give-way.ts'
import { itemsUntilAborted, untilAborted } from '../time/until-aborted.ts'
import type { Database } from './database.ts'
import type { LoadOptions } from './load-options.ts'

const itemsPerCommit = 1_000
const failuresOfDatabase = [ConnectionError, DatabaseBusyError, DatabaseClosedError, MigrationError]
/** Codes of engines for a value that they cannot store, for example because it is too long for an index. */
const ofValue = /^(?:22|23|54)[0-9A-Z]{3}$|^SQLITE_(?:TOOBIG|CONSTRAINT|MISMATCH)/

/** Stores items, a thousand in one transaction. Each is its own commit, so a bad item does not affect the others. */
export async function load<T, R extends Definitions>(
  database: Database<R>,
  items: Iterable<T> | AsyncIterable<T>,
  options: LoadOptions<T>,
): Promise<void> {
  const loading = new Loading(storeUnder(storeOfFace(database)!, options.signal), options, countOf(items))
  const source =
    typeof items !== 'string' && Symbol.asyncIterator in items
      ? itemsUntilAborted(items, () => loading.untilEnd)
      : items
  try {
    for await (const item of source as AsyncIterable<T>) {
      const pending = loading.add(item)
      if (pending !== undefined) await pending
    }
  } catch (error) {
    if (error !== loading.end) throw error
  }
  await loading.finish()
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
  readonly #ended = new AbortController()
  /** Why the source is read no further, once an item is bad and the load stops there. */
  readonly end = new Error('an item cannot be stored')
  #untilEnd: AbortSignal | undefined

  constructor(store: RowStore, options: LoadOptions<T>, total: number | undefined) {
    this.#store = store
    this.#options = options
    this.#stops = options.onError !== 'continue'
    this.#total = total
  }

  /** Ends the wait for an item: aborted by the caller, or once one in hand is bad, which only an asynchronous schema finds out later. */
  get untilEnd(): AbortSignal | undefined {
    return this.#untilEnd ?? this.#options.signal
  }

  /** Gives a promise if there is something to wait for before the next item. */
  add(item: T): Promise<void> | undefined {
    this.#options.signal?.throwIfAborted()
    this.#ended.signal.throwIfAborted()
    const mutation = this.#prepared(item)
    this.#batch.push({ item, mutation })
    if (this.#batch.length === itemsPerCommit) return this.#storeBatch()
    return mutation instanceof Promise ? this.#look(mutation) : pauseDue()
  }

  #prepared(item: T): Prepared<T>['mutation'] {
    try {
      return this.#store.prepareSet(keyOf(item, this.#options), item)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Most bad items are known to be bad in a microtask: only an asynchronous schema takes longer. */
  async #look(mutation: Promise<unknown>): Promise<void> {
    const { signal } = this.#options
    const ended = this.#ended
    mutation.catch(() => {
      if (this.#stops) ended.abort(this.end)
    })
    this.#untilEnd ??= signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal])
    await undefined
    ended.signal.throwIfAborted()
    await pauseDue()
  }

  /** Stores the rest. */
  async finish(): Promise<void> {
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
    const { expireIn } = this.#options
    const expiry = expireIn !== undefined && { expiresAt: expiryTime(expireIn, this.#store.now()) }
    const committing = (bad < 0 ? prepared : prepared.slice(0, bad)).map((one) =>
      one.status === 'rejected'
        ? Promise.reject(one.reason)
        : this.#store.commit({ checks: noChecks, mutations: [{ ...one.value, ...expiry }] }),
    )
    const outcomes = await Promise.allSettled(committing)
    return bad < 0 ? outcomes : [...outcomes, prepared[bad]!]
  }
}

/** Whether the database failed, not the item: the next ones would fail as well. */
function isOfDatabase(error: unknown): boolean {
  if (error instanceof StorageError) return !ofValue.test(error.engineCode)
  return failuresOfDatabase.some((type) => error instanceof type)
}

function keyOf<T>(item: T, { prefix, keyProperty }: LoadOptions<T>): Key {
  const part = typeof keyProperty === 'function' ? keyProperty(item) : (item?.[keyProperty] as KeyPart)
  if (part === undefined || part === null) {
    throw new TypeError(`keyProperty gives no key for an item: it is ${String(part)}`)
  }
  return [...prefix, part]
}
