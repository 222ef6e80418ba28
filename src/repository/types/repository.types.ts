// The methods of a repository are one interface, because users read it from top to bottom.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { CallOptions } from '../../arguments/call-options.ts'
import type {
  CreatedIdOf,
  CreatedKeyOf,
  IdOf,
  KeyOf,
  PrefixIdsOf,
  TakesUuid,
} from '../../key/pattern.types.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import type { CounterIn, Definitions } from '../../schema/registry.types.ts'
import type { CommitResult } from '../../store/atomic-operation.types.ts'
import type { ExpireOptions, SetOptions } from '../../store/expiry.ts'
import type { IfVersionOptions } from '../../store/if-version.ts'
import type { ListIterator, ListOptions } from '../../store/list-iterator.ts'
import type { KvU64 } from '../../value/kv-u64.ts'
import type { IdArguments, Row, RowMaybe, Update } from './entry.types.ts'
import type { QueryMethods } from './query-methods.types.ts'
import type { WatchMethods } from './watch-methods.types.ts'

type Output<D extends AnyDefinition> = StandardSchemaV1.InferOutput<D['schema']>
type Input<D extends AnyDefinition> = StandardSchemaV1.InferInput<D['schema']>

/** Which rows to list; left out, all. An invalid id, or a `start` or `end` outside of `prefix`, is a TypeError. */
export interface IdRange<D extends AnyDefinition> {
  /** The leading ids, which fill some of the wildcards, but not the last one. */
  readonly prefix?: PrefixIdsOf<D['pattern']> | undefined
  /** The first id to list. */
  readonly start?: IdOf<D['pattern']> | undefined
  /** The id to stop before; if it comes before `start`, a RangeError. */
  readonly end?: IdOf<D['pattern']> | undefined
}

/** How to create a row. */
export interface CreateOptions<D extends AnyDefinition> extends ExpireOptions, CallOptions {
  /** The ids for all wildcards before the last one. */
  readonly prefix?: LeadingIds<IdOf<D['pattern']>>
}

/** The options may be left out if there is only one wildcard. */
type CreateArguments<D extends AnyDefinition> =
  LeadingIds<IdOf<D['pattern']>> extends readonly []
    ? readonly [options?: CreateOptions<D>]
    : readonly [options: CreateOptions<D> & { readonly prefix: LeadingIds<IdOf<D['pattern']>> }]

type CreateValue<D extends AnyDefinition> =
  TakesUuid<D['pattern']> extends true
    ? Input<D>
    : { error: 'create makes an id that is a string, but this pattern declares another kind: use insert' }

type LeadingIds<Id> = Id extends readonly [...infer Leading, unknown] ? Readonly<Leading> : readonly []

/** The result of `create`: the commit, and the new id. */
export interface CreateResult<D extends AnyDefinition> extends CommitResult {
  readonly id: CreatedIdOf<D['pattern']>
  readonly key: CreatedKeyOf<D['pattern']>
}

/** The result of `upsert`: the commit, whether it created the row, and the new row. */
export interface UpsertResult<D extends AnyDefinition> extends CommitResult {
  readonly created: boolean
  readonly entry: Row<IdOf<D['pattern']>, KeyOf<D['pattern']>, Output<D>>
}

/** How to insert many rows. */
export interface InsertManyOptions extends ExpireOptions {
  /** Called after each commit with the number of rows inserted so far. */
  readonly onProgress?: ((inserted: number) => void) | undefined
  /** Aborting it rejects the call with its reason. What is committed stays, and a commit that has begun is still written. */
  readonly signal?: AbortSignal | undefined
}

/** How many rows `insertMany` has inserted. */
export interface InsertManyResult {
  readonly ok: true
  readonly count: number
}

/**
 * The typed rows of one pattern. An id fills the wildcards of the pattern: one part for one, a tuple for several; without
 * wildcards, leave it out (`site.get()`, `site.set(value)`). An invalid id is a TypeError.
 *
 * Besides the errors that its method names, a write rejects with the errors of `Database.set`, and every call with those of
 * `Database`.
 */
export interface Repository<D extends AnyDefinition, R extends Definitions = readonly []>
  extends QueryMethods<D, R>,
    WatchMethods<D, R> {
  /** The name in the options of the schema, or the words of its pattern in camelCase. */
  readonly name: D['name']
  /** The pattern of its keys. */
  readonly pattern: D['pattern']

  /**
   * The key of a row. Throws a TypeError if the id is not valid, or if its key belongs to a more specific pattern, such as that of
   * `['users', 'root']` beside `['users', '*']`.
   *
   * ```ts
   * users.key('alice') // => ['users', 'alice']
   * posts.key(['alice', 'hello']) // => ['users', 'alice', 'posts', 'hello']
   * ```
   */
  key(...id: IdArguments<D>): KeyOf<D['pattern']>

  /**
   * Reads one row: returns its entry, with nulls if there is none. A row that is read again and
   * again may come from memory: docs/guide/performance.md says what that means for news of other processes.
   *
   * ```ts
   * await users.get('alice') // => { id: 'alice', key: ['users', 'alice'], value: { name: 'Alice', … }, versionstamp: '…', expiresAt: null }
   * await users.get('nobody') // => { id: 'nobody', key: ['users', 'nobody'], value: null, versionstamp: null, expiresAt: null }
   * ```
   */
  get(
    ...args: [...id: IdArguments<D>, options?: CallOptions]
  ): Promise<RowMaybe<IdOf<D['pattern']>, KeyOf<D['pattern']>, Output<D>>>

  /**
   * Reads any number of rows from one consistent snapshot: returns their entries, in the order of the ids.
   *
   * ```ts
   * const entries = await users.getMany(['bob', 'nobody'])
   * entries.map(({ value }) => value?.name) // => ['Bob', undefined]
   * ```
   */
  getMany(
    ids: readonly IdOf<D['pattern']>[],
    options?: CallOptions,
  ): Promise<RowMaybe<IdOf<D['pattern']>, KeyOf<D['pattern']>, Output<D>>[]>

  /**
   * Whether there is a row, without reading its value.
   *
   * ```ts
   * await users.exists('alice') // => true
   * ```
   */
  exists(...args: [...id: IdArguments<D>, options?: CallOptions]): Promise<boolean>

  /**
   * Reads rows in the order of their ids, page by page: memory does not grow with their number. Throws a TypeError or RangeError
   * if the range or an option is not valid.
   *
   * ```ts
   * const titles = []
   * for await (const { value } of posts.list({ prefix: ['alice'] }, { limit: 10 })) titles.push(value.title)
   * titles // => ['Again', 'Hello']
   * ```
   */
  list(
    range?: IdRange<D>,
    options?: ListOptions,
  ): ListIterator<Row<IdOf<D['pattern']>, KeyOf<D['pattern']>, Output<D>>>

  /**
   * Writes a new row. Rejects with KeyExistsError if it exists.
   *
   * ```ts
   * const carol = { name: 'Carol', email: 'carol@example.com', age: 25 }
   * await users.insert('carol', carol) // => { ok: true, versionstamp: '…' }
   * await users.insert('carol', carol) // => throws KeyExistsError
   * ```
   */
  insert(
    ...args: [...id: IdArguments<D>, value: Input<D>, options?: ExpireOptions & CallOptions]
  ): Promise<CommitResult>

  /**
   * Writes a row under a new id: the last wildcard becomes a UUIDv7, which sorts by time. If there are several wildcards,
   * `prefix` fills the others. Rejects with a TypeError if it does not, or if the pattern has no wildcard.
   *
   * ```ts
   * const made = await posts.create({ title: 'New' }, { prefix: ['alice'] })
   * made // => { ok: true, versionstamp: '…', id: ['alice', '…'], key: ['users', 'alice', 'posts', '…'] }
   * ```
   */
  create(value: CreateValue<D>, ...options: CreateArguments<D>): Promise<CreateResult<D>>

  /**
   * Writes a row, whether it exists or not. The database stores the output of the schema.
   *
   * ```ts
   * await users.set('bob', { name: 'Robert', email: 'bob@example.com', age: 42 }) // => { ok: true, versionstamp: '…' }
   * await users.set('bob', { name: 'Robert', email: 'alice@example.com', age: 42 }) // => throws UniqueConstraintError
   * ```
   */
  set(
    ...args: [...id: IdArguments<D>, value: Input<D>, options?: SetOptions & CallOptions]
  ): Promise<CommitResult>

  /**
   * Changes an existing row. A patch replaces the fields that it names, except those that are `undefined`; a function returns the
   * new value, given the stored one. No update is lost, whichever process runs others at the same time: the row is read and
   * written again until nobody has changed it in between. So a function may run more than once. The row keeps its expiry unless
   * you pass `expireIn`.
   *
   * ```ts
   * await users.update('alice', { age: 31 })
   * await users.update('alice', (user) => ({ ...user, age: user.age + 1 }))
   * const alice = await users.get('alice')
   * alice.value?.age // => 32
   * ```
   *
   * With `ifVersion` it changes only the version that you have read, for example the one that a form or an `If-Match` header
   * names.
   *
   * ```ts
   * const { versionstamp } = await users.get('bob')
   * if (versionstamp === null) throw new Error('There is no bob')
   * await users.update('bob', { age: 42 }, { ifVersion: versionstamp }) // => { ok: true, versionstamp: '…' }
   * await users.update('bob', { age: 43 }, { ifVersion: versionstamp }) // => throws ConflictError
   * ```
   *
   * Rejects with NotFoundError if there is no row, with ConflictError if others have changed it in between 100 times or it does
   * not have the version of `ifVersion`, and with TypeError if you patch a value that is not an object.
   */
  update(
    ...args: [
      ...id: IdArguments<D>,
      update: Update<D>,
      options?: ExpireOptions & IfVersionOptions & CallOptions,
    ]
  ): Promise<CommitResult>

  /**
   * Writes `create` if there is no row, otherwise changes the row as `update` does, in one commit, whoever else does the same.
   * Resolves to whether it has created the row, and to the new entry.
   *
   * ```ts
   * const dave = { name: 'Dave', email: 'dave@example.com', age: 20 }
   * const visit = () => users.upsert('dave', { create: dave, update: { age: { increment: 1 } } })
   * await visit() // => { ok: true, versionstamp: '…', created: true, entry: { …, value: { …, age: 20 }, … } }
   * await visit() // => { ok: true, versionstamp: '…', created: false, entry: { …, value: { …, age: 21 }, … } }
   * ```
   *
   * `expireIn` applies to a created and to a changed row; without it, a changed row keeps its expiry. Rejects as `insert` and
   * `update` do, but never because the row exists or does not.
   */
  upsert(
    ...args: [
      ...id: IdArguments<D>,
      values: { readonly create: Input<D>; readonly update: Update<D> },
      options?: ExpireOptions & CallOptions,
    ]
  ): Promise<UpsertResult<D>>

  /**
   * Removes a row. Resolves to whether there was one. With `ifVersion`, rejects with ConflictError if the row does not have this
   * version, or does not exist.
   *
   * ```ts
   * const bob = await users.get('bob')
   * if (bob.versionstamp !== null) await users.delete('bob', { ifVersion: bob.versionstamp })
   * await users.delete('bob') // => false
   * ```
   */
  delete(...args: [...id: IdArguments<D>, options?: IfVersionOptions & CallOptions]): Promise<boolean>

  /**
   * Changes when a row expires, and nothing else: in how many milliseconds from now, above 0, or `null` for never. Rejects with
   * NotFoundError if there is no row.
   *
   * ```ts
   * await users.touch('alice', { expireIn: 30 * 60_000 }) // => { ok: true, versionstamp: '…' }
   * await users.touch('alice', { expireIn: null }) // => { ok: true, versionstamp: '…' }
   * ```
   */
  touch(
    ...args: [...id: IdArguments<D>, options: { readonly expireIn: number | null } & CallOptions]
  ): Promise<CommitResult>

  /**
   * Inserts many rows, in commits of 1,000 rows or 1 MiB of values. Memory does not grow with their number, and other work goes
   * on in between.
   *
   * ```ts
   * const items = ['a', 'b', 'c'].map((id) => [['bob', id], { title: `Draft ${id}` }] as const)
   * await posts.insertMany(items) // => { ok: true, count: 3 }
   * await posts.insertMany(items) // => throws KeyExistsError
   * ```
   *
   * Rejects with KeyExistsError if an id exists or comes twice, with the errors of `set`, and with what `items` throws. Nothing
   * of that commit is then written, and earlier commits stay.
   */
  insertMany(
    items:
      | Iterable<readonly [id: IdOf<D['pattern']>, value: Input<D>]>
      | AsyncIterable<readonly [id: IdOf<D['pattern']>, value: Input<D>]>,
    options?: InsertManyOptions,
  ): Promise<InsertManyResult>

  /**
   * Adds to a KvU64, modulo 2^64; a negative `n` subtracts. A missing row counts as 0. A repository has `sum`, `max` and `min` if
   * its schema outputs a KvU64. They read nothing first, so they never retry, and keep the row's expiry unless you pass
   * `expireIn`.
   *
   * ```ts
   * await Promise.all([1n, 2n, -1n].map((n) => visits.sum('home', n)))
   * const home = await visits.get('home')
   * home.value // => [KvU64: 42n]
   * await visits.sum('home', -43n) // => throws RangeError
   * ```
   *
   * Rejects with RangeError if the result would be below zero or `n` has more than 64 bits, and with TypeError if `n` has another
   * type. In a unit of work, only its commit, or a read of the row, tells whether the result is below zero, and the unit rejects.
   */
  sum: Arithmetic<D>
  /**
   * Sets a KvU64 to the larger of itself and `n`, a missing one to `n`. Rejects as `sum` does.
   *
   * ```ts
   * await visits.max('home', 100n)
   * const home = await visits.get('home')
   * home.value // => [KvU64: 100n]
   * ```
   */
  max: Arithmetic<D>
  /**
   * Sets a KvU64 to the smaller of itself and `n`, a missing one to `n`. Rejects as `sum` does.
   *
   * ```ts
   * await visits.min('home', 7n)
   * const home = await visits.get('home')
   * home.value // => [KvU64: 7n]
   * ```
   */
  min: Arithmetic<D>
}

type Arithmetic<D extends AnyDefinition> =
  unknown extends CounterIn<Output<D>>
    ? (
        ...args: [...id: IdArguments<D>, n: bigint | KvU64, options?: ExpireOptions & CallOptions]
      ) => Promise<CommitResult>
    : { error: 'sum, max and min need a schema whose output is a KvU64' }
