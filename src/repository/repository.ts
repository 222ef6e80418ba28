// All methods of a repository are here, a few lines each: they check arguments and call the file that does the work.

import type { InspectOptions } from 'node:util'
import { v7 as uuidv7 } from 'uuid'
import { ArgumentTypeError } from '../arguments/argument-error.ts'
import { checkCallOptions } from '../arguments/call-options.ts'
import { type KeyCheck, type Mutation, noChecks } from '../commit/write.ts'
import { KeyExistsError, NotFoundError } from '../contract/errors.ts'
import { inspected, inspectName } from '../contract/inspected.ts'
import type { Key } from '../contract/key.types.ts'
import type { StoredRow } from '../driver/driver.ts'
import { ownId } from '../key/own-key.ts'
import { idReader, wildcardCount } from '../key/pattern.ts'
import type { IdOf, Pattern } from '../key/pattern.types.ts'
import { formatVersionstamp } from '../key/versionstamp.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { CommitResult } from '../store/atomic-operation.types.ts'
import { conflictError } from '../store/conflict.ts'
import { type ExpireOptions, expiryTime, type SetOptions, setOptionNames } from '../store/expiry.ts'
import { expectedVersion, type IfVersionOptions } from '../store/if-version.ts'
import { ListIterator, type ListOptions } from '../store/list-iterator.ts'
import { checkListOptions } from '../store/list-options.ts'
import type { RowEntry, RowStore } from '../store/row-store.ts'
import { inSlices } from '../time/give-way.ts'
import type { KvU64 } from '../value/kv-u64.ts'
import type { ChangesOptions } from '../watch/change.types.ts'
import type { WatchOptions } from '../watch/watch-options.ts'
import { aggregate, type UntypedAggregate } from './find/aggregate.ts'
import { countRows } from './find/count.ts'
import { explain, findFirst, findMany, findPage } from './find/find.ts'
import type { UntypedQuery } from './find/found-rows.ts'
import { idRange, type UntypedIdRange } from './find/id-range.ts'
import { keyMakerOf } from './find/key-maker.ts'
import { missingRow } from './find/missing-row.ts'
import { StorePreparedQuery } from './find/prepared-query.ts'
import { watchIds, watchMany, watchRows } from './live/watch.ts'
import type { MissingRow } from './types/entry.types.ts'
import type { WriteManyResult } from './types/query-methods.types.ts'
import type { InsertManyOptions, InsertManyResult } from './types/repository.types.ts'
import type { UntypedClaim } from './write/claim-parts.ts'
import { Claims } from './write/claims.ts'
import { insertMany } from './write/insert-many.ts'
import { RowUpdates } from './write/row-update.ts'
import { checkUpdate, type UntypedUpdate, updateMutation } from './write/update.ts'
import { type UntypedUpsert, type UntypedUpsertResult, upsert } from './write/upsert.ts'
import { deleteMany, type UntypedWriteMany, updateMany } from './write/write-many.ts'

type Id = IdOf<Pattern>

interface UpdateOptions extends ExpireOptions, IfVersionOptions {}

/** The repository of one definition; `Repository` of repository.types.ts is its typed face. */
export class StoreRepository {
  readonly definition: AnyDefinition
  readonly #store: RowStore
  readonly #keyOf: (id: Id) => Key
  #rowUpdates: RowUpdates | undefined
  #claims: Claims | undefined

  constructor(store: RowStore, definition: AnyDefinition) {
    this.#store = store
    this.definition = definition
    this.#keyOf = keyMakerOf(store.registry, definition)
  }

  get #rows(): RowUpdates {
    this.#rowUpdates ??= new RowUpdates(this.#store)
    return this.#rowUpdates
  }

  get name(): string {
    return this.definition.name
  }

  get pattern(): Pattern {
    return this.definition.pattern
  }

  [inspectName](_depth: number, options: InspectOptions): string {
    const { name, pattern } = this
    return inspected('Repository', { name, pattern }, options)
  }

  key(id?: Id): Key {
    return this.#keyOf(id)
  }

  async get(id?: Id): Promise<RowEntry | MissingRow<Id, Key>> {
    const key = this.key(id)
    const own = ownId(id)
    const row = await this.#read(key)
    return row === null ? this.#store.missing(missingRow(own, key)) : this.#store.rowEntry(row, own, key)
  }

  async getMany(ids: readonly Id[]): Promise<(RowEntry | MissingRow<Id, Key>)[]> {
    this.#store.assertOpen()
    if (!Array.isArray(ids))
      throw new ArgumentTypeError("getMany takes an array of ids, such as ['alice', 'bob']")
    const keys = ids.map((id) => this.key(id))
    const ownIds: readonly Id[] = ids.map(ownId)
    const encoded = inSlices(keys, (key) => this.#store.encodeKey(key))
    const encodedKeys = encoded instanceof Promise ? await encoded : encoded
    const rows = await this.#store.read({ type: 'getMany', keys: encodedKeys })
    return inSlices(rows, (row, i) =>
      row === null
        ? this.#store.missing(missingRow(ownIds[i], keys[i]!))
        : this.#store.rowEntry(row, ownIds[i], keys[i]!),
    )
  }

  async exists(id?: Id): Promise<boolean> {
    this.#store.assertOpen()
    return this.#store.read({ type: 'exists', key: this.#store.encodeKey(this.key(id)) })
  }

  list(range: UntypedIdRange = {}, options: ListOptions = {}): ListIterator<RowEntry> {
    checkListOptions(options)
    const store = this.#store
    const idOf = idReader(this.pattern)
    return new ListIterator(
      {
        store,
        range: idRange(this.definition, range, store.limits.keyBytes),
        collection: this.name,
        toEntry: (row) => store.rowEntry(row, idOf(row.key), row.key),
      },
      options,
    )
  }

  insert(id: Id, value: unknown, options?: ExpireOptions): Promise<CommitResult> {
    return this.#insert(id, value, options)
  }

  /** A method of its own, so that `create` is traced as one call. */
  async #insert(id: Id, value: unknown, options?: ExpireOptions): Promise<CommitResult> {
    this.#store.assertOpen()
    if (options !== undefined) checkCallOptions(options, 'insert', ['expireIn'])
    const key = this.key(id)
    const prepared = this.#store.prepareSet(key, value, options)
    const mutation = prepared instanceof Promise ? await prepared : prepared
    const outcome = await this.#store.commit({
      checks: [{ key: mutation.key, version: null }],
      mutations: [mutation],
    })
    if (outcome.type === 'conflict') throw new KeyExistsError(key)
    return committed(outcome.version)
  }

  async create(value: unknown, options: ExpireOptions & { readonly prefix?: Key } = {}) {
    this.#store.assertOpen()
    checkCallOptions(options, 'create', ['prefix', 'expireIn'])
    const { prefix = [], ...expiry } = options
    const wildcards = wildcardCount(this.pattern)
    if (wildcards === 0) throw new TypeError(`${this.name} has one key and no ids: use set`)
    const kind = this.definition.idKinds[this.pattern.lastIndexOf('*')] ?? 'string'
    if (kind !== 'string') {
      throw new TypeError(
        `create makes an id that is a string, but those of ${this.name} end in a ${kind}: use insert`,
      )
    }
    if (!Array.isArray(prefix) || prefix.length !== wildcards - 1) {
      throw new TypeError(
        `create makes the last of the ${wildcards} parts of an id: pass the others as prefix`,
      )
    }
    const id: Id = wildcards === 1 ? uuidv7() : [...prefix, uuidv7()]
    const result = await this.#insert(id, value, expiry)
    return { ...result, id, key: this.key(id) }
  }

  async set(id: Id, value: unknown, options?: SetOptions): Promise<CommitResult> {
    this.#store.assertOpen()
    if (options !== undefined) checkCallOptions(options, 'set', setOptionNames)
    return this.#commit(this.#store.prepareSet(this.key(id), value, options))
  }

  async update(id: Id, update: UntypedUpdate, options?: UpdateOptions): Promise<CommitResult> {
    this.#store.assertOpen()
    checkUpdate(update)
    if (options !== undefined) checkCallOptions(options, 'update', ['expireIn', 'ifVersion'])
    const expected = expectedVersion(options)
    const key = this.key(id)
    const make = async (row: StoredRow | null, pause: () => void) => {
      await this.#expect(this.#store.encodeKey(key), row, expected)
      if (row === null) throw new NotFoundError(key)
      const updated = { store: this.#store, definition: this.definition, key, row }
      return updateMutation(updated, update, options?.expireIn, pause)
    }
    const { version } = await this.#rows.write(key, make, expected === undefined ? undefined : 1)
    return committed(version)
  }

  async upsert(id: Id, values: UntypedUpsert, options?: ExpireOptions): Promise<UntypedUpsertResult> {
    this.#store.assertOpen()
    return upsert(this.#rows, this.#store, this.definition, this.key(id), values, options)
  }

  async delete(id?: Id, options?: IfVersionOptions): Promise<boolean> {
    this.#store.assertOpen()
    if (options !== undefined) checkCallOptions(options, 'delete', ['ifVersion'])
    const expected = expectedVersion(options)
    const key = this.#store.encodeKey(this.key(id))
    const outcome = await this.#store.commit({
      checks: expected === undefined ? noChecks : [await this.#checkOf(key, expected)],
      mutations: [{ type: 'delete', key }],
    })
    if (outcome.type === 'conflict') throw conflictError(outcome.conflicts, 1)
    return outcome.touched > 0
  }

  async touch(id: Id, options: { readonly expireIn: number | null }): Promise<CommitResult> {
    this.#store.assertOpen()
    checkCallOptions(options, 'touch', ['expireIn'])
    if (options.expireIn === undefined)
      throw new TypeError('touch takes { expireIn }: milliseconds, or null for never')
    const key = this.key(id)
    const outcome = await this.#store.commit({
      checks: [],
      mutations: [
        {
          type: 'touch',
          key: this.#store.encodeKey(key),
          expiresAt: expiryTime(options.expireIn ?? undefined, this.#store.now()),
        },
      ],
    })
    if (outcome.type === 'conflict' || outcome.touched === 0) throw new NotFoundError(key)
    return committed(outcome.version)
  }

  findMany(query: UntypedQuery = {}): Promise<RowEntry[]> {
    return findMany(this.#store, this.definition, query)
  }

  findFirst(query: UntypedQuery = {}): Promise<RowEntry | null> {
    return findFirst(this.#store, this.definition, query)
  }

  findPage(query: UntypedQuery = {}) {
    return findPage(this.#store, this.definition, query)
  }

  count(query: { readonly where?: unknown; readonly prefix?: Key } = {}): Promise<number> {
    return countRows(this.#store, this.definition, query)
  }

  aggregate(query: UntypedAggregate) {
    return aggregate(this.#store, this.definition, query)
  }

  async updateMany(query: UntypedWriteMany): Promise<WriteManyResult> {
    return updateMany(this.#store, this.definition, query)
  }

  async deleteMany(query: UntypedWriteMany): Promise<WriteManyResult> {
    return deleteMany(this.#store, this.definition, query)
  }

  async claimMany(query: UntypedClaim): Promise<WriteManyResult> {
    this.#claims ??= new Claims(this.#store, this.definition)
    return this.#claims.claim(query)
  }

  prepare(query: UntypedQuery): StorePreparedQuery {
    return new StorePreparedQuery(this.#store, this.definition, query)
  }

  async toSQL(query: UntypedQuery = {}) {
    const { sql, params } = await explain(this.#store, this.definition, query)
    return { sql, params }
  }

  async explain(query: UntypedQuery = {}): Promise<readonly string[]> {
    const { plan } = await explain(this.#store, this.definition, query)
    return plan
  }

  insertMany(
    items: Iterable<readonly [Id, unknown]> | AsyncIterable<readonly [Id, unknown]>,
    options: InsertManyOptions = {},
  ): Promise<InsertManyResult> {
    return insertMany(this.#store, (id) => this.key(id), items, options)
  }

  watch(id: Id | readonly Id[], options: WatchOptions = {}): ReadableStream<unknown> {
    return watchIds(this.#store, this.definition, id, options)
  }

  watchMany(query: UntypedQuery = {}, options: WatchOptions = {}): ReadableStream<unknown> {
    return watchMany(this.#store, this.definition, query, options)
  }

  changes(options: ChangesOptions = {}): ReadableStream<unknown> {
    return watchRows(this.#store, this.definition, options)
  }

  async sum(id: Id, n: bigint | KvU64, options?: ExpireOptions): Promise<CommitResult> {
    return this.#arithmetic('sum', id, n, options)
  }

  async max(id: Id, n: bigint | KvU64, options?: ExpireOptions): Promise<CommitResult> {
    return this.#arithmetic('max', id, n, options)
  }

  async min(id: Id, n: bigint | KvU64, options?: ExpireOptions): Promise<CommitResult> {
    return this.#arithmetic('min', id, n, options)
  }

  async #arithmetic(type: 'sum' | 'max' | 'min', id: Id, n: bigint | KvU64, options?: ExpireOptions) {
    this.#store.assertOpen()
    if (options !== undefined) checkCallOptions(options, type, ['expireIn'])
    return this.#commit(this.#store.prepareArithmetic(type, this.key(id), n, options?.expireIn))
  }

  async #commit(prepared: Mutation | Promise<Mutation>): Promise<CommitResult> {
    const mutation = prepared instanceof Promise ? await prepared : prepared
    const outcome = await this.#store.commit({ checks: noChecks, mutations: [mutation] })
    if (outcome.type === 'conflict') throw conflictError(outcome.conflicts, 1)
    return committed(outcome.version)
  }

  /** The check that the current row has this version; rejects with ConflictError if it does not. */
  async #checkOf(encodedKey: Uint8Array, expected: number): Promise<KeyCheck> {
    await this.#store.settle(encodedKey)
    const row = await this.#store.read({ type: 'get', key: encodedKey })
    await this.#expect(encodedKey, row, expected)
    return { key: encodedKey, version: row?.version ?? null }
  }

  /** Rejects with ConflictError if others have written a version other than the expected one. */
  async #expect(encodedKey: Uint8Array, row: StoredRow | null, expected: number | undefined): Promise<void> {
    if (expected === undefined || expected === row?.version) return
    const actual = await this.#store.committedVersion(encodedKey, row)
    if (actual !== expected) throw conflictError([{ key: encodedKey, expected, actual }], 1)
  }

  #read(key: Key): Promise<StoredRow | null> {
    this.#store.assertOpen()
    return this.#store.read({ type: 'get', key: this.#store.encodeKey(key) })
  }
}

function committed(version: number): CommitResult {
  return { ok: true, versionstamp: formatVersionstamp(version) }
}
