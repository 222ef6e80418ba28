import { noChecks } from '../commit/write.ts'
import type { StoredRow } from '../driver/driver.ts'
import { ConflictError } from '../errors.ts'
import { type Selector, selectorRange } from '../key/range.ts'
import { formatVersionstamp } from '../key/versionstamp.ts'
import type { Key } from '../key.types.ts'
import type {
  Definitions,
  Entry,
  EntryMaybe,
  InputOf,
  SelectedValue,
  ValueOf,
} from '../schema/registry.types.ts'
import { toConflict } from '../store/atomic-operation.ts'
import type { CommitResult } from '../store/commit-result.ts'
import { checkExpireOptions, type ExpireOptions } from '../store/expiry.ts'
import { ListIterator, type ListOptions } from '../store/list-iterator.ts'
import { checkListOptions } from '../store/list-options.ts'
import type { RowStore } from '../store/row-store.ts'

/** Reads and writes by key, typed by the patterns that were declared; of a database, or of a unit of work. */
export class KeyValue<R extends Definitions> {
  readonly #store: RowStore

  constructor(store: RowStore) {
    this.#store = store
  }

  /**
   * Reads the value under a key.
   *
   * ```ts
   * await db.get(['users', 'alice']) // { key: ['users', 'alice'], value: { … }, versionstamp: '0000…0001' }
   * await db.get(['nothing'])        // { key: ['nothing'], value: null, versionstamp: null }
   * ```
   */
  async get<const K extends Key>(key: K): Promise<EntryMaybe<K, ValueOf<R, K>>> {
    this.#store.assertOpen()
    const encodedKey = this.#store.encodeKey(key)
    // Copied now: the caller may change its array while the read is under way.
    const ownKey = key.slice()
    const row = await this.#store.driver.get(encodedKey)
    return this.#toEntryMaybe(row, ownKey) as Promise<EntryMaybe<K, ValueOf<R, K>>>
  }

  /** Reads any number of keys from one consistent snapshot, in their order. */
  async getMany<const Keys extends readonly Key[]>(
    keys: Keys,
  ): Promise<{ [I in keyof Keys]: EntryMaybe<Keys[I], ValueOf<R, Keys[I]>> }> {
    this.#store.assertOpen()
    if (!Array.isArray(keys)) throw new TypeError("getMany takes an array of keys, as [['users', 'alice']]")
    const encodedKeys = keys.map((key) => this.#store.encodeKey(key))
    const ownKeys = keys.map((key) => key.slice())
    const rows = await this.#store.driver.getMany(encodedKeys)
    const entries = await Promise.all(rows.map((row, i) => this.#toEntryMaybe(row, ownKeys[i]!)))
    return entries as { [I in keyof Keys]: EntryMaybe<Keys[I], ValueOf<R, Keys[I]>> }
  }

  /**
   * Writes a value, after its schema has accepted it; what the schema outputs is what is stored.
   *
   * ```ts
   * await db.set(['session', id], { user: 'alice' }, { expireIn: 60_000 }) // { ok: true, versionstamp: '0000…0002' }
   * ```
   */
  async set<const K extends Key>(
    key: K,
    value: InputOf<R, K>,
    options?: ExpireOptions,
  ): Promise<CommitResult> {
    checkExpireOptions(options, 'set')
    this.#store.assertOpen()
    const prepared = this.#store.prepareSet(key, value, options?.expireIn)
    const mutation = prepared instanceof Promise ? await prepared : prepared
    const outcome = await this.#store.commit({ checks: noChecks, mutations: [mutation] })
    if (outcome.type === 'conflict') throw new ConflictError(outcome.conflicts.map(toConflict), 1)
    return { ok: true, versionstamp: formatVersionstamp(outcome.version) }
  }

  /** Removes the value under a key, if there is one. */
  async delete(key: Key): Promise<void> {
    await this.#store.commit({
      checks: noChecks,
      mutations: [{ type: 'delete', key: this.#store.encodeKey(key) }],
    })
  }

  /**
   * Reads entries in the order of their keys, page by page.
   *
   * ```ts
   * for await (const { key, value } of db.list({ prefix: ['users'] }, { limit: 10 })) console.log(key, value)
   * ```
   */
  list<const S extends Selector>(
    selector: S,
    options: ListOptions = {},
  ): ListIterator<Entry<Key, SelectedValue<R, S>>> {
    checkListOptions(options)
    const store = this.#store
    const iterator = new ListIterator<unknown>(
      {
        driver: store.driver,
        range: selectorRange(selector, store.limits.keyBytes),
        collection: null,
        assertOpen: () => store.assertOpen(),
        toEntry: (row) => store.entry(row, row.key),
      },
      options,
    )
    return iterator as ListIterator<Entry<Key, SelectedValue<R, S>>>
  }

  #toEntryMaybe(row: StoredRow | null, key: Key): EntryMaybe | Promise<EntryMaybe> {
    return row === null ? { key, value: null, versionstamp: null } : this.#store.entry(row, key)
  }
}
