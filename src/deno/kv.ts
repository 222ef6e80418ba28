import { type Database, storeOf } from '../api/database.ts'
import type { Entry } from '../schema/registry.types.ts'
import { paceCalls } from '../time/give-way.ts'
import { AtomicOperation } from './atomic-operation.ts'
import { Backend, type EncodedKey } from './backend.ts'
import { BadResource, onResource } from './bad-resource.ts'
import { checkReadKey, commitVersionstamp, encodeKvKey, plainKey } from './keys.ts'
import type {
  KvCommitResult,
  KvConsistencyLevel,
  KvEnqueueOptions,
  KvEntryMaybe,
  KvKey,
  KvListOptions,
  KvListSelector,
} from './kv.types.ts'
import { checkMost, limits } from './limits.ts'
import { KvListIterator } from './list-iterator.ts'
import { fromStored } from './raw-value.ts'

/** Only `openKv` can use the constructor. */
const opening = Symbol('openKv')

/** Makes the Kv of a database. The Kv closes it. */
export let kvOf: (database: Database) => Kv
/** The database of a Kv; null for anything else. */
export let databaseOf: (kv: unknown) => Database | null

/**
 * A key-value store with the shape of `Deno.Kv`: its calls, results, limits, and the words and classes of its errors. Made by
 * `openKv`.
 */
export class Kv implements Disposable {
  readonly #database: Database
  readonly #backend: Backend
  #isClosed = false

  static {
    kvOf = (database) => new Kv(database, opening)
    databaseOf = (kv) =>
      typeof kv === 'object' && kv !== null && #database in kv ? (kv as Kv).#database : null
    paceCalls(Kv.prototype, ['get', 'getMany', 'set', 'delete', 'enqueue', 'listenQueue'])
  }

  constructor(database?: Database, key?: symbol) {
    if (database === undefined || key !== opening)
      throw new TypeError('Deno.Kv can not be constructed: use Deno.openKv instead')
    this.#database = database
    this.#backend = new Backend(storeOf(database)!)
  }

  async get<T = unknown>(
    key: KvKey,
    _options?: { consistency?: KvConsistencyLevel },
  ): Promise<KvEntryMaybe<T>> {
    const encoded = toRead(key)
    const entry = await onResource(() => this.#backend.get(encoded))
    return toEntry(entry, key)
  }

  async getMany<T extends readonly unknown[]>(
    keys: readonly [...{ [K in keyof T]: KvKey }],
    _options?: { consistency?: KvConsistencyLevel },
  ): Promise<{ [K in keyof T]: KvEntryMaybe<T[K]> }> {
    checkMost(keys.length, limits.ranges, 'Too many ranges')
    const encoded = keys.map(toRead)
    const entries = await onResource(() => this.#backend.getMany(encoded))
    return entries.map((entry, i) => toEntry(entry, keys[i]!)) as never
  }

  async set(key: KvKey, value: unknown, options?: { expireIn?: number }): Promise<KvCommitResult> {
    return (await this.atomic().set(key, value, options).commit()) as KvCommitResult
  }

  async delete(key: KvKey): Promise<void> {
    await this.atomic().delete(key).commit()
  }

  list<T = unknown>(selector: KvListSelector, options: KvListOptions = {}): KvListIterator<T> {
    return new KvListIterator(this.#backend, selector, options)
  }

  async enqueue(message: unknown, options?: KvEnqueueOptions): Promise<KvCommitResult> {
    return (await this.atomic().enqueue(message, options).commit()) as KvCommitResult
  }

  // biome-ignore lint/suspicious/noExplicitAny: as Deno has it, so that handlers of any message fit.
  async listenQueue(handler: (message: any) => Promise<void> | void): Promise<void> {
    if (this.#isClosed) throw new Error('Queue already closed')
    await onResource(() => this.#database.listenQueue((message) => handler(fromStored(message))))
  }

  atomic(): AtomicOperation {
    return new AtomicOperation(this.#backend)
  }

  watch<T extends readonly unknown[]>(
    keys: readonly [...{ [K in keyof T]: KvKey }],
    _options?: { raw?: boolean },
  ): ReadableStream<{ [K in keyof T]: KvEntryMaybe<T[K]> }> {
    const own = keys.map((key) => toRead(key).key)
    if (this.#isClosed) throw new BadResource()
    if (own.length === 0) return new ReadableStream({ start: (controller) => controller.close() })
    const entries = this.#backend.watch(own)
    const shown = new TransformStream<(Entry | null)[], never>({
      transform(found, controller) {
        controller.enqueue(found.map((entry, i) => toEntry(entry, own[i]!.slice())) as never)
      },
    })
    return entries.pipeThrough(shown)
  }

  /** As the last part of a key that is set: the versionstamp of the commit comes in its place. */
  commitVersionstamp(): symbol {
    return commitVersionstamp
  }

  /** Settles what was begun, in the background, and ends streams and listeners. Throws if it is closed already. */
  close(): void {
    if (this.#isClosed) throw new BadResource()
    this.#isClosed = true
    this.#database.close().catch((error) => process.emitWarning(error))
  }

  [Symbol.dispose](): void {
    if (!this.#isClosed) this.close()
  }
}

function toRead(key: KvKey): EncodedKey {
  const bytes = encodeKvKey(key)
  checkReadKey(bytes.length + 1)
  return { key: plainKey(key), bytes }
}

function toEntry<T>(entry: Entry | null, key: KvKey): KvEntryMaybe<T> {
  if (entry === null) return { key, value: null, versionstamp: null }
  const { value, versionstamp } = entry
  return { key: entry.key, value: fromStored(value) as T, versionstamp }
}
