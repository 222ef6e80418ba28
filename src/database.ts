import { noChecks } from './commit/write.ts'
import type { StoredRow } from './driver/driver.ts'
import { ConflictError } from './errors.ts'
import { decodeKey } from './key/codec.ts'
import type { Pattern } from './key/pattern.types.ts'
import { type Selector, selectorRange } from './key/range.ts'
import { formatVersionstamp } from './key/versionstamp.ts'
import type { Key } from './key.types.ts'
import { openRepository } from './repository/open-repository.ts'
import type { Repository } from './repository/repository.types.ts'
import type { AnyDefinition } from './schema/definition.types.ts'
import type {
  DefinitionByName,
  DefinitionByPattern,
  Definitions,
  Entry,
  EntryMaybe,
  InputOf,
  RepositoryNames,
  SelectedValue,
  ValueOf,
} from './schema/registry.types.ts'
import { StoreAtomicOperation, toConflict } from './store/atomic-operation.ts'
import type { AtomicOperation } from './store/atomic-operation.types.ts'
import type { CommitResult } from './store/commit-result.ts'
import { checkExpireOptions, type ExpireOptions } from './store/expiry.ts'
import { ListIterator, type ListOptions } from './store/list-iterator.ts'
import { checkListOptions } from './store/list-options.ts'
import type { Store } from './store/store.ts'

/** The repositories of a database, by name. */
export type Repositories<R extends Definitions> = {
  readonly [Name in RepositoryNames<R>]: Repository<DefinitionByName<R, Name>>
}

/** An open database. */
export class Database<R extends Definitions = readonly []> implements AsyncDisposable {
  /** The typed rows of each declared pattern, by its name. */
  readonly repositories: Repositories<R>
  readonly #store: Store
  readonly #destroyOnClose: boolean
  readonly #byDefinition: ReadonlyMap<AnyDefinition, Repository<AnyDefinition>>

  constructor(store: Store, destroyOnClose: boolean) {
    this.#store = store
    this.#destroyOnClose = destroyOnClose
    this.#byDefinition = new Map(
      store.registry.definitions.map((definition) => [definition, openRepository(store, definition)]),
    )
    const byName = [...this.#byDefinition].map(([{ name }, repository]) => [name, repository] as const)
    this.repositories = Object.freeze(Object.fromEntries(byName)) as unknown as Repositories<R>
  }

  /**
   * The repository of a declared pattern, or of a definition made by `defineSchema`.
   *
   * ```ts
   * db.repository(['users', '*']) === db.repositories.users // true
   * ```
   */
  repository<D extends R[number]>(definition: D): Repository<D>
  repository<const P extends R[number]['pattern']>(pattern: P): Repository<DefinitionByPattern<R, P>>
  repository(wanted: AnyDefinition | Pattern): unknown {
    const definition = Array.isArray(wanted)
      ? this.#store.registry.byPattern(wanted)
      : this.#store.registry.byName((wanted as AnyDefinition).name)
    if (definition === undefined || (!Array.isArray(wanted) && definition !== wanted)) {
      throw new TypeError('No schema was declared for this: add it by withSchema or withSchemas before open')
    }
    return this.#byDefinition.get(definition)
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
    const row = await this.#store.driver.get(this.#store.encodeKey(key))
    return this.#toEntryMaybe(row, key) as Promise<EntryMaybe<K, ValueOf<R, K>>>
  }

  /** Reads any number of keys from one consistent snapshot, in their order. */
  async getMany<const Keys extends readonly Key[]>(
    keys: Keys,
  ): Promise<{ [I in keyof Keys]: EntryMaybe<Keys[I], ValueOf<R, Keys[I]>> }> {
    this.#store.assertOpen()
    if (!Array.isArray(keys)) throw new TypeError("getMany takes an array of keys, as [['users', 'alice']]")
    const rows = await this.#store.driver.getMany(keys.map((key) => this.#store.encodeKey(key)))
    const entries = await Promise.all(rows.map((row, i) => this.#toEntryMaybe(row, keys[i]!)))
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
        toEntry: (row) => this.#toEntry(row, decodeKey(row.key)),
      },
      options,
    )
    return iterator as ListIterator<Entry<Key, SelectedValue<R, S>>>
  }

  /** Starts an atomic operation: checks and mutations that commit together or not at all. */
  atomic(): AtomicOperation<R> {
    return new StoreAtomicOperation(this.#store) as AtomicOperation<R>
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

  #toEntryMaybe(row: StoredRow | null, key: Key): EntryMaybe | Promise<EntryMaybe> {
    return row === null
      ? { key: key.slice(), value: null, versionstamp: null }
      : this.#toEntry(row, key.slice())
  }

  #toEntry(row: StoredRow, key: Key): Entry | Promise<Entry> {
    const versionstamp = formatVersionstamp(row.version)
    const value = this.#store.decode(row, key)
    if (value instanceof Promise) return value.then((settled) => ({ key, value: settled, versionstamp }))
    return { key, value, versionstamp }
  }
}
