import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Pattern, PrefixIdsOf } from '../key/pattern.types.ts'
import type { Parameter } from '../query/parameter.ts'
import type { CheckedWhere, Chosen, Columns, OrderBy, Where } from '../query/query.types.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { FieldAt, FieldPath } from '../schema/field-path.types.ts'
import type { DefinitionByName, Definitions } from '../schema/registry.types.ts'
import type { RepositoryEntry, Update } from './entry.types.ts'
import type { WriteManyResult } from './write-many.ts'

type Output<D extends AnyDefinition> = StandardSchemaV1.InferOutput<D['schema']>

/** The rows that are loaded with others: each `true`, or a query of its own. */
export interface NestedQuery<D extends AnyDefinition, R extends Definitions> {
  /** Which rows: those where it is true. Left out: all. */
  readonly where?: Where<Output<D>>
  /** In which order; of an array, the earlier ones first. Rows that agree come by key. */
  readonly orderBy?: OrderBy<Output<D>> | readonly OrderBy<Output<D>>[]
  /** The most rows, of each parent where they are loaded by `with`. Left out: all. */
  readonly limit?: number | Parameter
  /** How many rows to leave out at the beginning. Default 0. */
  readonly offset?: number | Parameter
  /** Which fields of the value to give. Left out: all. */
  readonly columns?: Columns<Output<D>>
  /**
   * Rows to load along, under their name: of a repository whose pattern goes on from this one, a list; of a field in
   * `references`, the row that it names, or null. Each is `true`, or a query without `after` and `prefix`.
   */
  readonly with?: With<D, R>
}

/** Relations by name: repositories whose patterns go on from this one, and fields that `references` declares. */
export type With<D extends AnyDefinition, R extends Definitions> = {
  readonly [Name in NestedNames<D, R>]?: boolean | NestedQuery<DefinitionByName<R, Name>, R>
} & {
  readonly [Field in keyof D['references'] & string]?: boolean | NestedQuery<D['references'][Field], R>
}

type NestedNames<D extends AnyDefinition, R extends Definitions> = NestedName<R[number], D['pattern']>

type NestedName<C extends AnyDefinition, P extends Pattern> = C extends unknown
  ? C['pattern'] extends readonly [...P, unknown, ...unknown[]]
    ? C['name']
    : never
  : never

/**
 * A query on the rows of a repository. All parts can be left out. A limit or an offset that is no whole number is a
 * RangeError, an option that there is not a TypeError, and whatever else is wrong in it a QueryError.
 */
export interface Query<D extends AnyDefinition, R extends Definitions = readonly []>
  extends NestedQuery<D, R> {
  /** The `cursor` of the page before, of a query with the same order: goes on behind it. Null: from the beginning. */
  readonly after?: string | null | Parameter
  /** The leading ids of the rows: what fills some of the wildcards, but not the last one. */
  readonly prefix?: PrefixIdsOf<D['pattern']>
}

/** `Q`, where what is wrong in it becomes a type that says so. */
export type CheckedQuery<D extends AnyDefinition, R extends Definitions, Q> = CheckedNames<Q> &
  (Q extends { readonly where: infer W }
    ? { readonly where: CheckedWhere<Output<D>, W, `the values of '${D['name']}'`> }
    : unknown) &
  (Q extends { readonly with: infer W } ? { readonly with: CheckedWith<D, R, W> } : unknown)

type CheckedWith<D extends AnyDefinition, R extends Definitions, W> = {
  readonly [Name in Exclude<keyof W, NestedNames<D, R> | keyof D['references']>]: {
    error: `no repository '${Name & string}' is nested under '${D['name']}', and no reference of it has this name`
  }
}

type CheckedNames<Q> = {
  readonly [K in Exclude<keyof Q, keyof Query<AnyDefinition>>]: {
    error: `there is no option '${K & string}' of a query`
  }
}

/** The entry that a query gives: with the chosen fields of its value, and with the rows it was to load. */
export type QueryEntry<D extends AnyDefinition, R extends Definitions, Q> = (Q extends {
  readonly columns: infer C
}
  ? Omit<RepositoryEntry<D>, 'value'> & { readonly value: Chosen<Output<D>, C> }
  : RepositoryEntry<D>) &
  (Q extends { readonly with: infer W } ? Loaded<D, R, W> : unknown)

type Loaded<D extends AnyDefinition, R extends Definitions, W> = {
  readonly [Name in keyof W as W[Name] extends false ? never : Name]: Name extends keyof D['references']
    ? QueryEntry<D['references'][Name], R, W[Name]> | null
    : QueryEntry<DefinitionByName<R, Name & string>, R, W[Name]>[]
}

/** The names of the parameters in a query. */
export type ParametersOf<Q> =
  Q extends Parameter<infer Name>
    ? Name
    : Q extends string | number | bigint | boolean | null | undefined | Date
      ? never
      : { [K in keyof Q]: ParametersOf<Q[K]> }[keyof Q]

/** What a parameter may stand for. */
type ParameterValue =
  | string
  | number
  | bigint
  | boolean
  | Date
  | null
  | readonly (string | number | bigint | boolean | Date)[]

type ParameterArguments<Q> = [ParametersOf<Q>] extends [never]
  ? readonly []
  : readonly [values: { readonly [Name in ParametersOf<Q> & string]: ParameterValue }]

/** A query that is kept for many executions, with a value for each of its parameters each time. */
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
   * Rejects with QueryError where a parameter is given no value, or one that is no operand.
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

/** Some rows of a query, and where the next ones go on: give it as `after`; null where there are no more. */
export interface Page<Entry> {
  readonly entries: Entry[]
  readonly cursor: string | null
}

/** How a query is run: the SQL, and what is bound to it in the order of its placeholders. */
export interface CompiledSql {
  readonly sql: string
  readonly params: readonly unknown[]
}

type FieldOrFields<T> = FieldPath<T> | readonly FieldPath<T>[]

interface Comparisons {
  readonly eq?: number | string | Date
  readonly ne?: number | string | Date
  readonly gt?: number | string | Date
  readonly gte?: number | string | Date
  readonly lt?: number | string | Date
  readonly lte?: number | string | Date
}

/**
 * Conditions on the figures of a group, as `{ count: { gte: 2 }, max: { likes: { lt: 10 } } }`: by `eq` (or the value
 * itself), `ne`, `gt`, `gte`, `lt` and `lte`.
 */
export interface Having<T> {
  readonly count?: Comparisons | number
  readonly sum?: { readonly [Path in FieldPath<T>]?: Comparisons | number }
  readonly avg?: { readonly [Path in FieldPath<T>]?: Comparisons | number }
  readonly min?: { readonly [Path in FieldPath<T>]?: Comparisons | number | string | Date }
  readonly max?: { readonly [Path in FieldPath<T>]?: Comparisons | number | string | Date }
  readonly AND?: readonly Having<T>[]
  readonly OR?: readonly Having<T>[]
  readonly NOT?: Having<T>
}

type ByField<T> = { readonly [Path in FieldPath<T>]?: 'asc' | 'desc' }

/**
 * The figures to work out, at least one, of all rows or of each group of them. Fields are dotted paths, as `'address.city'`,
 * one or an array of them.
 */
export interface AggregateQuery<D extends AnyDefinition> {
  /** Which rows: those where it is true. Left out: all. */
  readonly where?: Where<Output<D>>
  /** The leading ids of the rows. */
  readonly prefix?: PrefixIdsOf<D['pattern']>
  /** How many rows there are. */
  readonly count?: true
  /** The sums of these fields of numbers. */
  readonly sum?: FieldOrFields<Output<D>>
  /** The averages of these fields of numbers. */
  readonly avg?: FieldOrFields<Output<D>>
  /** The least value of each of these fields. */
  readonly min?: FieldOrFields<Output<D>>
  /** The greatest value of each of these fields. */
  readonly max?: FieldOrFields<Output<D>>
  /** The rows that agree in these fields are one group. */
  readonly groupBy?: FieldOrFields<Output<D>>
  /** Which groups: those whose figures meet the conditions. */
  readonly having?: Having<Output<D>>
  /** The order of the groups: by figures and by fields of `groupBy`, as `{ sum: { likes: 'desc' }, group: { city: 'asc' } }`. */
  readonly orderBy?: {
    readonly count?: 'asc' | 'desc'
    readonly sum?: ByField<Output<D>>
    readonly avg?: ByField<Output<D>>
    readonly min?: ByField<Output<D>>
    readonly max?: ByField<Output<D>>
    readonly group?: ByField<Output<D>>
  }
  /** The most groups. Left out: all. */
  readonly limit?: number
}

type Paths<F> = F extends readonly (infer Path)[] ? Path : F

type Figures<T, Q> = (Q extends { readonly count: true } ? { readonly count: number } : unknown) & {
  readonly [K in keyof Q & ('sum' | 'avg')]: { readonly [Path in Paths<Q[K]> & string]: number | null }
} & {
  readonly [K in keyof Q & ('min' | 'max')]: {
    readonly [Path in Paths<Q[K]> & string]: NonNullable<FieldAt<T, Path>> | null
  }
}

/**
 * What an aggregate gives: its figures by field, null where no row had the field, as `{ count: 2, sum: { likes: 3 } }`; with
 * `groupBy`, an array of these, each with its `group: { city: 'Paris' }`.
 */
export type AggregateResult<D extends AnyDefinition, Q> = Q extends { readonly groupBy: infer G }
  ? (Figures<Output<D>, Q> & {
      readonly group: { readonly [Path in Paths<G> & string]: GroupValue<FieldAt<Output<D>, Path>> }
    })[]
  : Figures<Output<D>, Q>

/** What is missing is `null` in a group. */
type GroupValue<V> = undefined extends V ? Exclude<V, undefined> | null : V

/** Which rows to write or to remove. */
export interface WriteManyQuery<D extends AnyDefinition> {
  /** Those where it is true; `{}` stands for all. */
  readonly where: Where<Output<D>>
  /** The leading ids of the rows. */
  readonly prefix?: PrefixIdsOf<D['pattern']>
}

/** The queries of a repository. */
export interface QueryMethods<D extends AnyDefinition, R extends Definitions> {
  /**
   * The rows that a query finds. Without `orderBy` they come by key, or in the order of an index on which `where` has a range.
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
   * Rejects with QueryError for a field, an operator or an operand that is not right, and, opened with
   * `onUnindexed: 'error'`, for a query that no index serves.
   */
  findMany<const Q extends Query<D, R> = Record<never, never>>(
    query?: Q & CheckedQuery<D, R, Q>,
  ): Promise<QueryEntry<D, R, Q>[]>

  /**
   * The first row that a query finds, or null. Rejects as `findMany` does.
   *
   * ```ts
   * const oldest = await users.findFirst({ orderBy: { age: 'desc' }, columns: { name: true } })
   * oldest?.value // => { name: 'Bob' }
   * ```
   */
  findFirst<const Q extends Query<D, R> = Record<never, never>>(
    query?: Q & CheckedQuery<D, R, Q>,
  ): Promise<QueryEntry<D, R, Q> | null>

  /**
   * A page of rows: 100, or `limit`, at least 1. Its `cursor` is the `after` of the next page, and null at the end; rows
   * that are written in between make no other row come twice or not at all. Rejects as `findMany` does, and with QueryError
   * for an `after` that is no cursor of a query with this order.
   *
   * ```ts
   * const first = await users.findPage({ orderBy: { age: 'desc' }, limit: 1 })
   * const second = await users.findPage({ orderBy: { age: 'desc' }, limit: 1, after: first.cursor })
   * second.entries.map(({ id }) => id) // => ['alice']
   * second.cursor // => null
   * ```
   */
  findPage<const Q extends Query<D, R> = Record<never, never>>(
    query?: Q & CheckedQuery<D, R, Q>,
  ): Promise<Page<QueryEntry<D, R, Q>>>

  /**
   * The number of rows: of all, of those below `prefix`, of those that `where` finds. Without `where` no value is read.
   * Rejects as `findMany` does.
   *
   * ```ts
   * await posts.count() // => 2
   * await posts.count({ where: { likes: { gte: 2 } }, prefix: ['alice'] }) // => 1
   * ```
   */
  count(query?: {
    readonly where?: Where<Output<D>>
    readonly prefix?: PrefixIdsOf<D['pattern']>
  }): Promise<number>

  /**
   * Figures of the rows, without reading them into the program. Rejects with QueryError for what is no field, or cannot be
   * added or ordered.
   *
   * ```ts
   * await posts.aggregate({ count: true, sum: 'likes', where: { likes: { gt: 0 } } }) // => { count: 2, sum: { likes: 3 } }
   *
   * const byCity = await users.aggregate({ count: true, max: 'age', groupBy: 'city', orderBy: { max: { age: 'desc' } } })
   * byCity[0] // => { group: { city: 'Rome' }, count: 1, max: { age: 41 } }
   * ```
   */
  aggregate<const Q extends AggregateQuery<D>>(query: Q): Promise<AggregateResult<D, Q>>

  /**
   * Changes every row that a condition finds, all in one commit or none: `set` is a patch or a function, as for `update`.
   * Rows keep their expiry.
   *
   * ```ts
   * const move = { where: { city: 'Paris' }, set: { city: 'Lyon' } }
   * await users.updateMany(move) // => { ok: true, count: 1, versionstamp: '…' }
   * ```
   *
   * Rejects with QueryError for a condition that is not right or left out, with the errors of `set`, and with ConflictError
   * when others have changed one of the rows in between 100 times.
   */
  updateMany(query: WriteManyQuery<D> & { readonly set: Update<D> }): Promise<WriteManyResult>

  /**
   * Removes every row that a condition finds, all in one commit or none. Rejects as `updateMany` does.
   *
   * ```ts
   * await posts.deleteMany({ where: { likes: { lt: 2 } } }) // => { ok: true, count: 1, versionstamp: '…' }
   * await posts.deleteMany({ where: {}, prefix: ['bob'] }) // => { ok: true, count: 0, versionstamp: null }
   * ```
   */
  deleteMany(query: WriteManyQuery<D>): Promise<WriteManyResult>

  /**
   * Keeps a query for many executions, with `parameter(name)` in the places of its operands. What is wrong in it is told by
   * the first execution; an option that there is not throws a TypeError at once.
   *
   * ```ts
   * const byEmail = users.prepare({ where: { email: parameter('email') }, columns: { name: true } })
   * const alice = await byEmail.first({ email: 'alice@example.com' })
   * alice?.value // => { name: 'Alice' }
   * ```
   */
  prepare<const Q extends Query<D, R>>(query: Q & CheckedQuery<D, R, Q>): PreparedQuery<D, R, Q>

  /**
   * The SQL of a query, and what is bound to it; what `with` loads is not part of it. Rejects as `findMany` does.
   *
   * ```ts
   * const { sql, params } = await users.toSQL({ where: { age: { gte: 18 } } })
   * sql // => `select … from kv indexed by "kv_users_age" where collection = 'users' and … kv.value ->> '$.age' >= ? …`
   * params.at(-1) // => 18
   * ```
   */
  toSQL(query?: Query<D, R>): Promise<CompiledSql>

  /**
   * The steps of the engine's plan for a query. Rejects as `findMany` does.
   *
   * ```ts
   * const plan = await users.explain({ where: { email: 'alice@example.com' } })
   * plan // => ['SEARCH kv USING INDEX kv_users_email_unique (<expr>=?)']
   * ```
   */
  explain(query?: Query<D, R>): Promise<readonly string[]>
}
