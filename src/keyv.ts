import type { KeyvStoreAdapter } from 'keyv'
import { type AdaptedDatabase, type AdapterOptions, TextKeys } from './adapters/text-keys.ts'
import { checkOptionNames } from './arguments/option-names.ts'

export type { AdaptedDatabase, AdapterOptions }

/** In milliseconds, 250,000 years: no Date is much later. Longer values never expire. */
const longestTtl = 8e15

/** An entry of `setMany`. */
interface StoreEntry {
  readonly key: string
  readonly value: unknown
  /** Milliseconds from now. Left out: it stays. */
  readonly ttl?: number | undefined
}

/** A store for Keyv 5, and for Keyv 6 through its bridge for such stores. Its keys include their namespace, as in `users:alice`. */
class KeyvStore implements KeyvStoreAdapter {
  /** `dialect` tells Keyv 5 that the store can be iterated. */
  readonly opts: Record<string, unknown> = { dialect: 'sqlite', url: 'sqlite://valkeyrie' }
  /** Set by Keyv 5, for `clear`. Keyv 6 leaves the prefixes of keys to its bridge if there is none. */
  declare namespace?: string | undefined
  readonly #db: AdaptedDatabase
  readonly #keys: TextKeys

  constructor(db: AdaptedDatabase, options: AdapterOptions) {
    checkOptionNames(options, ['prefix'], 'keyvStore')
    this.#keys = new TextKeys(db, options.prefix ?? ['keyv'], 'keyvStore')
    this.#db = db
  }

  async get<Value>(key: string): Promise<Value | undefined> {
    const { value, versionstamp } = await this.#db.get(this.#keys.of(key))
    return versionstamp === null ? undefined : (value as Value)
  }

  /** All values from one state of the database. */
  async getMany<Value>(keys: readonly string[]): Promise<(Value | undefined)[]> {
    const entries = await this.#db.getMany(keys.map((key) => this.#keys.of(key)))
    return entries.map(({ value, versionstamp }) => (versionstamp === null ? undefined : (value as Value)))
  }

  async has(key: string): Promise<boolean> {
    return (await this.#db.get(this.#keys.of(key))).versionstamp !== null
  }

  async hasMany(keys: readonly string[]): Promise<boolean[]> {
    const entries = await this.#db.getMany(keys.map((key) => this.#keys.of(key)))
    return entries.map(({ versionstamp }) => versionstamp !== null)
  }

  /** `ttl` in milliseconds; undefined or infinite: the value stays. */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    await this.setMany([{ key, value, ttl }])
    return true
  }

  /** Writes all entries in one commit, or none. */
  async setMany(entries: readonly StoreEntry[]): Promise<void> {
    const writes = this.#db.atomic()
    for (const { key, value, ttl } of entries) {
      // As in Keyv's own store, NaN means no end.
      if (typeof ttl !== 'number' || !(ttl <= longestTtl)) writes.set(this.#keys.of(key), value)
      // A value that has already expired is deleted.
      else if (ttl <= 0) writes.delete(this.#keys.of(key))
      else writes.set(this.#keys.of(key), value, { expireIn: ttl })
    }
    if (entries.length > 0) await writes.commit()
    // Keyv passes it on as its own result, although its type of a store returns nothing.
    return entries.map(() => true) as unknown as undefined
  }

  /** Returns whether there was a value. */
  async delete(key: string): Promise<boolean> {
    return (await this.#keys.remove([key]))[0]!
  }

  /** In one commit. Returns whether there was a value under each of the keys. */
  async deleteMany(keys: readonly string[]): Promise<boolean> {
    return (await this.#keys.remove(keys)).every((removed) => removed)
  }

  /** Removes everything in the namespace, or, without one, in the store; nothing else of the database. */
  async clear(): Promise<void> {
    await this.#keys.clear(this.namespace ? `${this.namespace}:` : '')
  }

  /** The keys, as they were given, and values of a namespace, or of all without one. */
  async *iterator<Value>(namespace?: string): AsyncGenerator<[string, Value], void> {
    for await (const [key, { value }] of this.#keys.list(namespace ? `${namespace}:` : '')) {
      yield [key, value as Value]
    }
  }

  /** Keyv listens for errors of a connection, but there is none: each call rejects with its own error. */
  on(_event: string, _listener: (...values: never[]) => void): this {
    return this
  }
}

/**
 * A store for [Keyv](https://keyv.org) 5 and 6, in an open database, below its own prefix: `['keyv']` unless the options say
 * otherwise. Values expire in the database itself, and several processes share them. You close the database.
 *
 * ```ts
 * import Keyv from 'keyv'
 * import { keyvStore } from 'valkeyrie/keyv'
 *
 * const cache = new Keyv({ store: keyvStore(db), namespace: 'pages' })
 * await cache.set('/home', '<h1>Home</h1>', 60_000)
 * await cache.get('/home') // => '<h1>Home</h1>'
 * await cache.clear()
 * await cache.get('/home') // => undefined
 * ```
 *
 * Throws a TypeError if the database is not an open one, or the prefix is not a key.
 */
export function keyvStore(db: AdaptedDatabase, options: AdapterOptions = {}): KeyvStoreAdapter {
  return new KeyvStore(db, options)
}
