// The query methods of a repository are one interface, because users read it from top to bottom.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { CallOptions } from '../../arguments/call-options.ts'
import type { IdOf, KeyOf, PrefixIdsOf } from '../../key/pattern.types.ts'
import type { Parameter } from '../../query/parameter.ts'
import type { ValueOrderBy, ValueWhere } from '../../query/query.types.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import type { Definitions } from '../../schema/registry.types.ts'
import type { ExpireOptions } from '../../store/expiry.ts'
import type { AggregateQuery, AggregateResult, CheckedAggregate } from './aggregate.types.ts'
import type { CheckedQuery } from './checked-query.types.ts'
import type { Row, Update } from './entry.types.ts'
import type { Query, QueryEntry } from './query.types.ts'

type Output<D extends AnyDefinition> = StandardSchemaV1.InferOutput<D['schema']>

/** The names of the parameters in a query. */
export type ParametersOf<Q> =
  Q extends Parameter<infer Name>
    ? Name
    : Q extends string | number | bigint | boolean | null | undefined | Date
      ? never
      : Q extends readonly (infer Item)[]
        ? ParametersOf<Item>
        : { [K in keyof Q]-?: ParametersOf<Q[K]> }[keyof Q]

/** The types that a parameter may stand for. */
type ParameterValue =
  | string
  | number
  | bigint
  | boolean
  | Date
  | null
  | readonly (string | number | bigint | boolean | Date)[]

type ParameterArguments<Q> = [ParametersOf<Q>] extends [never]
  ? readonly [values?: Record<never, never>, options?: CallOptions]
  : readonly [values: { readonly [Name in ParametersOf<Q> & string]: ParameterValue }, options?: CallOptions]

/** A query to run many times, each time with values for its parameters. */
export interface PreparedQuery<D extends AnyDefinition, R extends Definitions, Q> {
  /**
   * The rows, as of `findMany`.
   *
   * ```ts
   * const older = users.prepare({ where: { age: { gt: parameter('age') } } })
   * const found = await older.execute({ age: 35 })
   * found.map(({ id }) => id) // => ['bob']
   * ```
   *
   * Rejects with QueryError if a parameter has no value, or one that cannot be an operand.
   */
  execute(...values: ParameterArguments<Q>): Promise<QueryEntry<D, R, Q>[]>
  /**
   * The first row, or null, as of `findFirst`. Rejects as `execute` does.
   *
   * ```ts
   * const byEmail = users.prepare({ where: { email: parameter('email') } })
   * const found = await byEmail.first({ email: 'bob@example.com' })
   * found?.id // => 'bob'
   * ```
   */
  first(...values: ParameterArguments<Q>): Promise<QueryEntry<D, R, Q> | null>
  /**
   * A page of rows, as of `findPage`. Rejects as `execute` does.
   *
   * ```ts
   * const pages = users.prepare({ orderBy: { age: 'asc' }, limit: 1, after: parameter('after') })
   * const first = await pages.page({ after: null })
   * const second = await pages.page({ after: first.cursor })
   * second.entries.map(({ id }) => id) // => ['bob']
   * ```
   */
  page(...values: ParameterArguments<Q>): Promise<Page<QueryEntry<D, R, Q>>>
}

/** Some rows of a query, and the `cursor` of the next page: pass it as `after`; null if there are no more. */
export interface Page<Entry> {
  readonly entries: Entry[]
  readonly cursor: string | null
}

/** How a query runs: the SQL, and what is bound to it, in the order of its placeholders. */
export interface CompiledSql {
  readonly sql: string
  readonly params: readonly unknown[]
}

/** Which rows to write or to remove. */
export type WriteManyQuery<D extends AnyDefinition> =
  | {
      /** Those where it is true; `{}`, literally, stands for all. Anything else that holds no condition is a QueryError. */
      readonly where: ValueWhere<Output<D>, IdOf<D['pattern']>>
      /** The leading ids of the rows. */
      readonly prefix?: PrefixIdsOf<D['pattern']>
    }
  | {
      readonly where?: never
      /** The leading ids of the rows; without a `where`, all that have them. */
      readonly prefix: PrefixIdsOf<D['pattern']>
    }

interface ReturningOption<R extends boolean> {
  /** Whether to give the rows that it has touched. Default `false`. */
  readonly returning?: R
}

/** The rows that a write touched, if the call asks for them. */
type Returned<D extends AnyDefinition, R extends boolean> = R extends true
  ? { readonly entries: readonly Row<IdOf<D['pattern']>, KeyOf<D['pattern']>, Output<D>>[] }
  : unknown

/** How many rows `updateMany` or `deleteMany` found, and the versionstamp of the commit: null if it found none. */
export interface WriteManyResult {
  readonly ok: true
  readonly count: number
  readonly versionstamp: string | null
}

/** The rows that `claimMany` claimed, as changed, and the versionstamp of the commit: null if it found none. */
export interface ClaimManyResult<D extends AnyDefinition> extends WriteManyResult {
  readonly entries: readonly Row<IdOf<D['pattern']>, KeyOf<D['pattern']>, Output<D>>[]
}

/** The queries of a repository. */
export interface QueryMethods<D extends AnyDefinition, R extends Definitions> {
  /**
   * The rows that a query finds. Without `orderBy` they come by key, or in the order of an index if `where` has a range on it.
   *
   * ```ts
   * const found = await users.findMany({
   *   where: { age: { gte: 18 } },
   *   orderBy: { age: 'desc' },
   *   limit: 10,
   *   with: { posts: true },
   * })
   * found.map(({ id, value, posts }) => [id, value.age, posts.length]) // => [['bob', 41, 0], ['alice', 30, 2]]
   * ```
   *
   * Rejects with QueryError if a field, an operator or an operand is wrong. If you open with `onUnindexed: 'error'`, it also does
   * if no index serves the query.
   */
  findMany<const Q extends Query<D, R>>(
    query?: Q & CheckedQuery<D, R, Q>,
    options?: CallOptions,
  ): Promise<QueryEntry<D, R, Q>[]>

  /**
   * The first row that a query finds, or null. Rejects as `findMany` does.
   *
   * ```ts
   * const oldest = await users.findFirst({ orderBy: { age: 'desc' }, columns: { name: true } })
   * oldest?.value // => { name: 'Bob' }
   * ```
   */
  findFirst<const Q extends Query<D, R>>(
    query?: Q & CheckedQuery<D, R, Q>,
    options?: CallOptions,
  ): Promise<QueryEntry<D, R, Q> | null>

  /**
   * A page of rows: 100, or `limit`, at least 1. Pass its `cursor` as the `after` of the next page; it is null at the end. Rows
   * written in between make no other row appear twice or not at all. Rejects as `findMany` does, and with QueryError if `after`
   * is not a cursor of a query with this order. In a loop, declare `after` without a value, `let after: string | null |
   * undefined`: otherwise TypeScript cannot infer the page.
   *
   * ```ts
   * const first = await users.findPage({ orderBy: { age: 'desc' }, limit: 1 })
   * const second = await users.findPage({ orderBy: { age: 'desc' }, limit: 1, after: first.cursor })
   * second.entries.map(({ id }) => id) // => ['alice']
   * second.cursor // => null
   * ```
   */
  findPage<const Q extends Query<D, R>>(
    query?: Q & CheckedQuery<D, R, Q>,
    options?: CallOptions,
  ): Promise<Page<QueryEntry<D, R, Q>>>

  /**
   * How many rows there are: all, those below `prefix`, or those that `where` finds. Without `where`, no value is read. Rejects
   * as `findMany` does.
   *
   * ```ts
   * await posts.count() // => 2
   * await posts.count({ where: { likes: { gte: 2 } }, prefix: ['alice'] }) // => 1
   * ```
   */
  count(
    query?: {
      readonly where?: ValueWhere<Output<D>, IdOf<D['pattern']>> | undefined
      readonly prefix?: PrefixIdsOf<D['pattern']> | undefined
    },
    options?: CallOptions,
  ): Promise<number>

  /**
   * Figures of the rows, without reading the rows into the program. Rejects with QueryError if a field does not exist, or cannot
   * be added or ordered.
   *
   * ```ts
   * await posts.aggregate({ count: true, sum: 'likes', where: { likes: { gt: 0 } } }) // => { count: 2, sum: { likes: 3 } }
   *
   * const byCity = await users.aggregate({ count: true, max: 'age', groupBy: 'city', orderBy: { max: { age: 'desc' } } })
   * byCity[0] // => { group: { city: 'Rome' }, count: 1, max: { age: 41 } }
   * ```
   */
  aggregate<const Q extends AggregateQuery<D>>(
    query: Q & CheckedAggregate<D, Q>,
    options?: CallOptions,
  ): Promise<AggregateResult<D, Q>>

  /**
   * Changes every row that a condition finds, all in one commit or none. `set` is a patch or a function, as for `update`. Rows
   * keep their expiry unless you pass `expireIn`. With `returning: true` you get the changed rows.
   *
   * ```ts
   * const move = { where: { city: 'Paris' }, set: { city: 'Lyon', age: { increment: 1 } } }
   * await users.updateMany(move) // => { ok: true, count: 1, versionstamp: '…' }
   * const { entries } = await users.updateMany({ where: { city: 'Lyon' }, set: { city: 'Rome' }, returning: true })
   * entries.map(({ id, value }) => [id, value.age]) // => [['alice', 31]]
   * ```
   *
   * Rejects with QueryError if the condition is wrong, or true for every row, such as `{ AND: [] }`, with the errors of `set`,
   * and with ConflictError if others have changed one of the rows in between 100 times.
   */
  updateMany<const R extends boolean = false>(
    query: WriteManyQuery<D> & ExpireOptions & { readonly set: Update<D> } & ReturningOption<R>,
    options?: CallOptions,
  ): Promise<WriteManyResult & Returned<D, R>>

  /**
   * Removes every row that a condition finds, all in one commit or none. With `returning: true` you get the removed rows. Rejects
   * as `updateMany` does.
   *
   * ```ts
   * await posts.deleteMany({ where: { likes: { lt: 2 } } }) // => { ok: true, count: 1, versionstamp: '…' }
   * await posts.deleteMany({ prefix: ['bob'] }) // => { ok: true, count: 0, versionstamp: null }
   * ```
   */
  deleteMany<const R extends boolean = false>(
    query: WriteManyQuery<D> & ReturningOption<R>,
    options?: CallOptions,
  ): Promise<WriteManyResult & Returned<D, R>>

  /**
   * Claims rows for one caller: changes the first `limit` rows that a condition finds, in the order of `orderBy`, and returns the
   * changed rows, all in one commit. No row is claimed twice, however many processes claim at the same time, as long as `set`
   * makes the condition false. Declare an index on the fields of the condition and the order.
   *
   * ```ts
   * const claim = { where: { city: 'Rome' }, orderBy: { age: 'asc' }, limit: 10, set: { city: 'Oslo' } } as const
   * const { count, entries } = await users.claimMany(claim)
   * entries.map(({ id, value }) => [id, value.city]) // => [['bob', 'Oslo']]
   * await users.claimMany(claim) // => { ok: true, count: 0, versionstamp: null, entries: [] }
   * ```
   *
   * Rows are prepared before the commit, and some of them are then not claimed, so let a function in `set` only compute. Rejects
   * as `updateMany` does, and with TypeError or RangeError if the limit is missing or below 1.
   */
  claimMany(
    query: WriteManyQuery<D> &
      ExpireOptions & {
        readonly orderBy?: ValueOrderBy<Output<D>> | readonly ValueOrderBy<Output<D>>[]
        readonly limit: number
        readonly set: Update<D>
      },
    options?: CallOptions,
  ): Promise<ClaimManyResult<D>>

  /**
   * Prepares a query to run many times. Put `parameter(name)` wherever an operand, a leading id in `prefix`, `limit`, `offset` or
   * `after` changes. It is planned once for the kinds of its operands, and costs less than the same `findMany`. The first
   * execution reports what is wrong in it; an unknown option throws a TypeError at once.
   *
   * ```ts
   * const byEmail = users.prepare({ where: { email: parameter('email') }, columns: { name: true } })
   * const alice = await byEmail.first({ email: 'alice@example.com' })
   * alice?.value // => { name: 'Alice' }
   * ```
   */
  prepare<const Q extends Query<D, R>>(query: Q & CheckedQuery<D, R, Q>): PreparedQuery<D, R, Q>

  /**
   * The SQL of a query, without the rows that `with` loads, and what is bound to it. Rejects as `findMany` does.
   *
   * ```ts
   * const { sql, params } = await users.toSQL({ where: { age: { gte: 18 } } })
   * sql // => `select … from kv indexed by "kv_users_age" where collection = 'users' and … (kv.value ->> '$.age' >= ? and … order by …`
   * params.at(-1) // => 18
   * ```
   */
  toSQL(query?: Query<D, R>, options?: CallOptions): Promise<CompiledSql>

  /**
   * The steps of the engine's plan for a query. Rejects as `findMany` does.
   *
   * ```ts
   * const plan = await users.explain({ where: { email: 'alice@example.com' } })
   * plan // => ['SEARCH kv USING INDEX kv_users_email_unique (<expr>=?)']
   * ```
   */
  explain(query?: Query<D, R>, options?: CallOptions): Promise<readonly string[]>
}
