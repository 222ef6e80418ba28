import { ArgumentTypeError } from '../arguments/argument-error.ts'
import type { CallOptions } from '../arguments/call-options.ts'
import { noChecks } from '../commit/write.ts'
import type { Key } from '../contract/key.types.ts'
import type { StoredRow } from '../driver/driver.ts'
import { ownKey } from '../key/own-key.ts'
import { type Selector, selectorRange } from '../key/range.ts'
import { formatVersionstamp } from '../key/versionstamp.ts'
import type {
  Definitions,
  InputOf,
  KeyEntry,
  KeyEntryMaybe,
  SelectedValue,
  ValueOf,
} from '../schema/registry.types.ts'
import { storeOfWrite, storeUnder } from '../store/abortable-store.ts'
import type { CommitResult } from '../store/atomic-operation.types.ts'
import { conflictError } from '../store/conflict.ts'
import { type SetOptions, setOptionNames } from '../store/expiry.ts'
import { ListIterator, type ListOptions } from '../store/list-iterator.ts'
import { checkListValues, listOptionNames } from '../store/list-options.ts'
import { type EnqueueOptions, prepareMessage } from '../store/queued-message.ts'
import type { RowStore } from '../store/row-store.ts'
import { inSlices } from '../time/give-way.ts'
import { traceCalls } from '../trace/trace-calls.ts'
import { KeyedEntry } from '../value/keyed-entry.ts'
import { checkReadOptions, type ReadOptions } from './read-options.ts'

/** The store behind a database, a unit of work or a snapshot; `null` for anything else. */
export let storeOfFace: (face: unknown) => RowStore | null

/** Reads and writes by key, typed by the patterns that were declared; of a database, or of a unit of work. */
export class KeyValue<R extends Definitions> {
  readonly #store: RowStore

  static {
    const subjectOf = (face: KeyValue<Definitions>) => ({
      database: face.#store.path,
      repository: null,
      pattern: null,
    })
    storeOfFace = (face) => (typeof face === 'object' && face !== null && #store in face ? face.#store : null)
    traceCalls(KeyValue.prototype, ['get', 'getMany', 'set', 'delete', 'enqueue'], subjectOf, 'rows')
  }

  constructor(store: RowStore) {
    this.#store = store
  }

  /**
   * Reads the value under a key: returns its entry, with nulls if there is no value or it has expired. A row that is read again and
   * again may come from memory: docs/guide/performance.md says what that means for news of other processes.
   *
   * ```ts
   * await db.get(['lamp']) // => { key: ['lamp'], value: 'on', versionstamp: '0000000000000000…' }
   * await db.get(['nothing']) // => { key: ['nothing'], value: null, versionstamp: null }
   * ```
   *
   * If you open with `validateReads`, every read of a value that its schema refuses rejects with ValidationError.
   */
  async get<const K extends Key>(key: K, options?: ReadOptions): Promise<KeyEntryMaybe<K, ValueOf<R, K>>> {
    if (options !== undefined) checkReadOptions(options, 'get')
    this.#store.assertOpen()
    const encodedKey = this.#store.encodeKey(key)
    // Copy the key now: the caller may change its array during the read.
    const own = ownKey(key)
    const row = await storeUnder(this.#store, options?.signal).read({ type: 'get', key: encodedKey })
    return this.#toEntryMaybe(row, own) as Promise<KeyEntryMaybe<K, ValueOf<R, K>>>
  }

  /**
   * Reads any number of keys from one consistent snapshot: returns their entries, in the order of the keys.
   *
   * ```ts
   * const [lamp, nothing] = await db.getMany([['lamp'], ['nothing']])
   * lamp.value // => 'on'
   * nothing.value // => null
   * ```
   */
  async getMany<const Keys extends readonly Key[]>(
    keys: Keys,
    options?: ReadOptions,
  ): Promise<{ [I in keyof Keys]: KeyEntryMaybe<Keys[I], ValueOf<R, Keys[I]>> }> {
    if (options !== undefined) checkReadOptions(options, 'getMany')
    this.#store.assertOpen()
    if (!Array.isArray(keys))
      throw new ArgumentTypeError("getMany takes an array of keys, such as [['users', 'alice']]")
    const store = storeUnder(this.#store, options?.signal)
    const ownKeys: Key[] = keys.map(ownKey)
    const encoded = inSlices(ownKeys, (key) => store.encodeKey(key))
    const encodedKeys = encoded instanceof Promise ? await encoded : encoded
    const rows = await store.read({ type: 'getMany', keys: encodedKeys })
    const entries = await inSlices(rows, (row, i) => this.#toEntryMaybe(row, ownKeys[i]!))
    return entries as { [I in keyof Keys]: KeyEntryMaybe<Keys[I], ValueOf<R, Keys[I]>> }
  }

  /**
   * Writes a value, whether the key has one or not. The database stores the output of its schema. If no pattern matches the key,
   * you may store any value that can be stored.
   *
   * ```ts
   * await db.set(['session', 's1'], { user: 'alice' }, { expireIn: 60_000 }) // => { ok: true, versionstamp: '…' }
   * await db.set(['users', 'carol'], { name: 'Carol', email: 'nonsense' }) // => throws ValidationError
   * ```
   *
   * Rejects with ValidationError if the schema refuses the value, with UniqueConstraintError if another row has the values of a
   * unique index, with a TypeError that names the path if something cannot be stored as it is (a function, an instance of a
   * class), and with RangeError if the value is larger than `limits.valueBytes`.
   */
  async set<const K extends Key>(
    key: K,
    value: InputOf<R, K>,
    options?: SetOptions & CallOptions,
  ): Promise<CommitResult> {
    const store = storeOfWrite(this.#store, options, 'set', setOptionNames)
    const prepared = store.prepareSet(key, value, options)
    const mutation = prepared instanceof Promise ? await prepared : prepared
    const outcome = await store.commit({ checks: noChecks, mutations: [mutation] })
    if (outcome.type === 'conflict') throw conflictError(outcome.conflicts, 1)
    return { ok: true, versionstamp: formatVersionstamp(outcome.version) }
  }

  /**
   * Removes the value under a key, if there is one.
   *
   * ```ts
   * await db.delete(['lamp'])
   * await db.get(['lamp']) // => { key: ['lamp'], value: null, versionstamp: null }
   * ```
   */
  async delete(key: Key, options?: CallOptions): Promise<void> {
    const store = storeOfWrite(this.#store, options, 'delete')
    await store.commit({
      checks: noChecks,
      mutations: [{ type: 'delete', key: this.#store.encodeKey(key) }],
    })
  }

  /**
   * Puts a message, any value that can be stored, into the queue of the database. It is delivered at least once, to one handler
   * of `listenQueue` in any process; messages that became due first come first. In a unit of work, it is in the queue only if the
   * unit commits.
   *
   * ```ts
   * await db.enqueue({ to: 'alice', text: 'Hello' }) // => { ok: true, versionstamp: '…' }
   * const reminder = { to: 'bob', text: 'Still there?' }
   * await db.enqueue(reminder, { delay: 3_600_000, backoffSchedule: [1_000, 60_000], keysIfUndelivered: [['unsent', 'bob']] })
   * ```
   *
   * A message waits as a row under `['valkeyrie', 'queue', …]`. Rejects with RangeError or TypeError if an option is not valid or
   * the value cannot be stored, and with ValidationError if the schema of one of `keysIfUndelivered` refuses it. For jobs with a
   * schema, priorities, groups, schedules and dead letters, use `valkeyrie/queue`.
   */
  async enqueue(value: unknown, options?: EnqueueOptions & CallOptions): Promise<CommitResult> {
    const { signal, ...own } = options ?? {}
    const store = storeOfWrite(this.#store, signal && { signal }, 'enqueue')
    const mutation = await prepareMessage(this.#store, value, own)
    const outcome = await store.commit({ checks: noChecks, mutations: [mutation] })
    if (outcome.type === 'conflict') throw conflictError(outcome.conflicts, 1)
    return { ok: true, versionstamp: formatVersionstamp(outcome.version) }
  }

  /**
   * Reads entries in the order of their keys, page by page: memory does not grow with their number. Throws a TypeError or
   * RangeError if the selector or an option is not valid.
   *
   * ```ts
   * const names = []
   * for await (const { value } of db.list({ prefix: ['users'] }, { limit: 10 })) names.push(value.name)
   * names // => ['Alice', 'Bob']
   * ```
   */
  list<const S extends Selector>(
    selector: S,
    options: ListOptions & ReadOptions = {},
  ): ListIterator<KeyEntry<Key, SelectedValue<R, S>>> {
    checkReadOptions(options, 'list', listOptionNames)
    checkListValues(options)
    const store = storeUnder(this.#store, options.signal)
    const iterator = new ListIterator<unknown>(
      {
        store,
        range: selectorRange(selector, store.limits.keyBytes),
        collection: null,
        toEntry: (row) => store.entry(row, row.key),
      },
      options,
    )
    return iterator as ListIterator<KeyEntry<Key, SelectedValue<R, S>>>
  }

  #toEntryMaybe(row: StoredRow | null, key: Key): KeyEntryMaybe | Promise<KeyEntryMaybe> {
    return row === null ? this.#store.missing(KeyedEntry.missing(key)) : this.#store.entry(row, key)
  }
}
