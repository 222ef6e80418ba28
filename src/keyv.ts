import type { KeyvStoreAdapter } from 'keyv'
import { type AdaptedDatabase, type AdapterOptions, TextKeys } from './adapters/text-keys.ts'
import { checkOptionNames } from './arguments/option-names.ts'

export type { AdaptedDatabase, AdapterOptions }

/** In milliseconds, 250,000 years: no Date is much later. What is to stay longer stays. */
const longestTtl = 8e15

/** An entry of `setMany`. */
interface StoreEntry {
  readonly key: string
  readonly value: unknown
  /** Milliseconds from now. Left out: it stays. */
  readonly ttl?: number | undefined
}

/**
 * A store for Keyv 5, and for Keyv 6 by the bridge that it has for such stores. Its keys come with their namespace before them,
 * as `users:alice`.
 */
class KeyvStore implements KeyvStoreAdapter {
  /** By `dialect`, Keyv 5 tells that the store can be iterated. */
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

  /** All of one state of the database. */
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

  /** `ttl` in milliseconds; none, or one without end: the value stays. */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    await this.setMany([{ key, value, ttl }])
    return true
  }

  /** In one commit: all entries, or none. */
  async setMany(entries: readonly StoreEntry[]): Promise<void> {
    if (entries.length === 0) return
    const writes = this.#db.atomic()
    for (const { key, value, ttl } of entries) {
      // NaN has no end either, as in Keyv's own store.
      if (typeof ttl !== 'number' || !(ttl <= longestTtl)) writes.set(this.#keys.of(key), value)
      // What has expired already is not there.
      else if (ttl <= 0) writes.delete(this.#keys.of(key))
      else writes.set(this.#keys.of(key), value, { expireIn: ttl })
    }
    await writes.commit()
  }

  /** Whether there was a value. */
  async delete(key: string): Promise<boolean> {
    return (await this.#keys.remove([key]))[0]!
  }

  /** In one commit. Whether there was a value under each of the keys. */
  async deleteMany(keys: readonly string[]): Promise<boolean> {
    return (await this.#keys.remove(keys)).every((removed) => removed)
  }

  /** Removes what is in the namespace, all of the store if there is none; nothing else of the database. */
  async clear(): Promise<void> {
    await this.#keys.clear(this.namespace ? `${this.namespace}:` : '')
  }

  /** The keys, as they were given, and values of a namespace, of all if there is none. */
  async *iterator<Value>(namespace?: string): AsyncGenerator<[string, Value], void> {
    for await (const [key, { value }] of this.#keys.list(namespace ? `${namespace}:` : '')) {
      yield [key, value as Value]
    }
  }

  /** Keyv listens for errors of a connection, and there is none: each call rejects with its own. */
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
