import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { IdOf, KeyOf, PrefixIdsOf } from '../key/pattern.types.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { Definitions } from '../schema/registry.types.ts'
import type { CommitResult } from '../store/commit-result.ts'
import type { ExpireOptions } from '../store/expiry.ts'
import type { ListIterator, ListOptions } from '../store/list-iterator.ts'
import type { KvU64 } from '../value/kv-u64.ts'
import type { IdArguments, RepositoryEntry, RepositoryEntryMaybe, Update } from './entry.types.ts'
import type { QueryMethods } from './query-methods.types.ts'
import type { WatchMethods } from './watch-methods.types.ts'

type Output<D extends AnyDefinition> = StandardSchemaV1.InferOutput<D['schema']>
type Input<D extends AnyDefinition> = StandardSchemaV1.InferInput<D['schema']>

/** The rows of a repository to list: below `prefix` (the leading ids), from `start` (included) to `end` (excluded). */
export interface IdRange<D extends AnyDefinition> {
  readonly prefix?: PrefixIdsOf<D['pattern']>
  readonly start?: IdOf<D['pattern']>
  readonly end?: IdOf<D['pattern']>
}

export interface CreateOptions<D extends AnyDefinition> extends ExpireOptions {
  /** What fills every wildcard but the last. */
  readonly prefix?: LeadingIds<IdOf<D['pattern']>>
}

type LeadingIds<Id> = Id extends readonly [...infer Leading, unknown] ? Readonly<Leading> : readonly []

export interface CreateResult<D extends AnyDefinition> extends CommitResult {
  readonly id: IdOf<D['pattern']>
  readonly key: KeyOf<D['pattern']>
}

export interface InsertManyOptions extends ExpireOptions {
  /** Called after each batch with the number of rows that are committed. */
  readonly onProgress?: (inserted: number) => void
  /** Aborting it ends the call between two batches, with the signal's reason; what is committed stays. */
  readonly signal?: AbortSignal
}

export interface InsertManyResult {
  readonly ok: true
  /** How many rows were inserted. */
  readonly count: number
}

/** The typed rows of one pattern. */
export interface Repository<D extends AnyDefinition, R extends Definitions = readonly []>
  extends QueryMethods<D, R>,
    WatchMethods<D, R> {
  readonly name: D['name']
  readonly pattern: D['pattern']

  /**
   * The key of a row.
   *
   * ```ts
   * users.key('alice') // ['users', 'alice']
   * ```
   */
  key(...id: IdArguments<D>): KeyOf<D['pattern']>

  /**
   * Reads one row.
   *
   * ```ts
   * await users.get('alice') // { id: 'alice', key: ['users', 'alice'], value: { … }, versionstamp: '0000…0001' }
   * await users.get('nobody') // { id: 'nobody', key: ['users', 'nobody'], value: null, versionstamp: null }
   * ```
   */
  get(...id: IdArguments<D>): Promise<RepositoryEntryMaybe<D>>

  /** Reads any number of rows from one consistent snapshot, in the order of the ids. */
  getMany(ids: readonly IdOf<D['pattern']>[]): Promise<RepositoryEntryMaybe<D>[]>

  /** Whether there is a row, without reading its value. */
  exists(...id: IdArguments<D>): Promise<boolean>

  /**
   * Reads rows in the order of their ids, page by page.
   *
   * ```ts
   * for await (const { id, value } of posts.list({ prefix: ['alice'] }, { limit: 10 })) console.log(id, value.title)
   * ```
   */
  list(range?: IdRange<D>, options?: ListOptions): ListIterator<RepositoryEntry<D>>

  /** Writes a row that is not there yet. Rejects with KeyExistsError when it is. */
  insert(...args: [...id: IdArguments<D>, value: Input<D>, options?: ExpireOptions]): Promise<CommitResult>

  /**
   * Writes a row under an id that is made for it: its last wildcard becomes a UUIDv7, which sorts by time.
   *
   * ```ts
   * const { id } = await posts.create({ title: 'Hello' }, { prefix: ['alice'] }) // ['alice', '019a…']
   * ```
   */
  create(value: Input<D>, options?: CreateOptions<D>): Promise<CreateResult<D>>

  /** Writes a row, whether it is there or not. */
  set(...args: [...id: IdArguments<D>, value: Input<D>, options?: ExpireOptions]): Promise<CommitResult>

  /**
   * Changes a row that is there: a patch replaces the fields that it names, a function makes the new value of the stored
   * one. Of updates that run at the same time none is lost, in whichever process: the row is read and written
   * again until nobody has changed it in between, so a function may run more than once. The row keeps its expiry unless `expireIn` is given.
   *
   * ```ts
   * await users.update('alice', { age: 31 })
   * await users.update('alice', (user) => ({ ...user, age: user.age + 1 }))
   * ```
   *
   * Rejects with NotFoundError where there is no row.
   */
  update(...args: [...id: IdArguments<D>, update: Update<D>, options?: ExpireOptions]): Promise<CommitResult>

  /** Removes a row; whether there was one. */
  delete(...id: IdArguments<D>): Promise<boolean>

  /**
   * Changes when a row expires, in milliseconds from now; `null`: never. Rejects with NotFoundError where there is none.
   *
   * ```ts
   * await sessions.touch(id, { expireIn: 30 * 60_000 })
   * ```
   */
  touch(
    ...args: [...id: IdArguments<D>, options: { readonly expireIn: number | null }]
  ): Promise<CommitResult>

  /**
   * Inserts many rows, in commits of 1,000: memory does not grow with their number, and other work goes on in between.
   * An id that exists, a value that is not valid or an error of `items` rejects the call, and nothing of that batch is written; earlier batches stay.
   *
   * ```ts
   * await users.insertMany([['alice', { name: 'Alice' }], ['bob', { name: 'Bob' }]]) // { ok: true, count: 2 }
   * ```
   */
  insertMany(
    items:
      | Iterable<readonly [id: IdOf<D['pattern']>, value: Input<D>]>
      | AsyncIterable<readonly [id: IdOf<D['pattern']>, value: Input<D>]>,
    options?: InsertManyOptions,
  ): Promise<InsertManyResult>

  /** Adds to a KvU64, modulo 2^64; a negative `n` subtracts, and RangeError below zero. A missing row counts as 0. */
  sum: Arithmetic<D>
  /** Sets a KvU64 to the larger of itself and `n`. */
  max: Arithmetic<D>
  /** Sets a KvU64 to the smaller of itself and `n`. */
  min: Arithmetic<D>
}

type Arithmetic<D extends AnyDefinition> =
  Output<D> extends KvU64
    ? (...args: [...id: IdArguments<D>, n: bigint | KvU64, options?: ExpireOptions]) => Promise<CommitResult>
    : { error: 'sum, max and min need a schema whose output is a KvU64' }
