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
  readonly where?: Where<Output<D>>
  readonly orderBy?: OrderBy<Output<D>> | readonly OrderBy<Output<D>>[]
  /** The most rows of each parent. */
  readonly limit?: number | Parameter
  readonly offset?: number | Parameter
  readonly columns?: Columns<Output<D>>
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

/** A query on the rows of a repository. All parts can be left out. */
export interface Query<D extends AnyDefinition, R extends Definitions = readonly []>
  extends NestedQuery<D, R> {
  /** The `cursor` of the page before: goes on behind it. */
  readonly after?: string | null | Parameter
  /** The leading ids of the rows. */
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
  /** The rows. */
  execute(...values: ParameterArguments<Q>): Promise<QueryEntry<D, R, Q>[]>
  /** The first row, or null. */
  first(...values: ParameterArguments<Q>): Promise<QueryEntry<D, R, Q> | null>
  /** A page of rows: see `findPage`. */
  page(...values: ParameterArguments<Q>): Promise<Page<QueryEntry<D, R, Q>>>
}

/** Some rows of a query, and where the next go on: give it as `after`; null where there are none. */
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

/** Conditions on the figures of a group. */
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

/** The figures to work out, of all rows or of each group of them. Fields are dotted paths. */
export interface AggregateQuery<D extends AnyDefinition> {
  readonly where?: Where<Output<D>>
  readonly prefix?: PrefixIdsOf<D['pattern']>
  readonly count?: true
  readonly sum?: FieldOrFields<Output<D>>
  readonly avg?: FieldOrFields<Output<D>>
  readonly min?: FieldOrFields<Output<D>>
  readonly max?: FieldOrFields<Output<D>>
  readonly groupBy?: FieldOrFields<Output<D>>
  readonly having?: Having<Output<D>>
  readonly orderBy?: {
    readonly count?: 'asc' | 'desc'
    readonly sum?: ByField<Output<D>>
    readonly avg?: ByField<Output<D>>
    readonly min?: ByField<Output<D>>
    readonly max?: ByField<Output<D>>
    readonly group?: ByField<Output<D>>
  }
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

/** What an aggregate gives: figures, `null` where no row had the field; with `groupBy` an array, each with its `group`. */
export type AggregateResult<D extends AnyDefinition, Q> = Q extends { readonly groupBy: infer G }
  ? (Figures<Output<D>, Q> & {
      readonly group: { readonly [Path in Paths<G> & string]: GroupValue<FieldAt<Output<D>, Path>> }
    })[]
  : Figures<Output<D>, Q>

/** What is missing is `null` in a group. */
type GroupValue<V> = undefined extends V ? Exclude<V, undefined> | null : V

/** Which rows to write: those where the condition is true; `{}` for all. */
export interface WriteManyQuery<D extends AnyDefinition> {
  readonly where: Where<Output<D>>
  readonly prefix?: PrefixIdsOf<D['pattern']>
}

/** The queries of a repository. */
export interface QueryMethods<D extends AnyDefinition, R extends Definitions> {
  /**
   * The rows that a query finds. Without `orderBy` they come by key, or in the order of an index on which `where` has a range.
   *
   * ```ts
   * await users.findMany({ where: { age: { gte: 18 } }, orderBy: { age: 'desc' }, limit: 10, with: { posts: true } })
   * // [{ id: 'alice', key: ['users', 'alice'], value: { age: 30, … }, versionstamp: '…', posts: [ … ] }, …]
   * // select … from kv indexed by "kv_users_age" where collection = 'users' and … value ->> '$.age' >= ? order by … limit ?
   * ```
   *
   * Rejects with QueryError for a field, an operator or an operand that is not right.
   */
  findMany<const Q extends Query<D, R> = Record<never, never>>(
    query?: Q & CheckedQuery<D, R, Q>,
  ): Promise<QueryEntry<D, R, Q>[]>

  /** The first row that a query finds, or null. */
  findFirst<const Q extends Query<D, R> = Record<never, never>>(
    query?: Q & CheckedQuery<D, R, Q>,
  ): Promise<QueryEntry<D, R, Q> | null>

  /**
   * A page of rows: 100, or `limit`. Its `cursor` is the `after` of the next page, and null at the end; rows that are
   * written in between make no other row come twice or not at all.
   *
   * ```ts
   * const first = await users.findPage({ orderBy: { age: 'desc' }, limit: 20 })
   * const second = await users.findPage({ orderBy: { age: 'desc' }, limit: 20, after: first.cursor })
   * ```
   */
  findPage<const Q extends Query<D, R> = Record<never, never>>(
    query?: Q & CheckedQuery<D, R, Q>,
  ): Promise<Page<QueryEntry<D, R, Q>>>

  /** The number of rows: of all, of those below `prefix`, of those that `where` finds. Without `where` no value is read. */
  count(query?: {
    readonly where?: Where<Output<D>>
    readonly prefix?: PrefixIdsOf<D['pattern']>
  }): Promise<number>

  /**
   * Figures of the rows, without reading them into the program.
   *
   * ```ts
   * await posts.aggregate({ count: true, sum: 'likes' }) // { count: 2, sum: { likes: 3 } }
   * await cities.aggregate({ count: true, max: 'population', groupBy: 'country', orderBy: { count: 'desc' }, limit: 3 })
   * // [{ group: { country: 'US' }, count: 17008, max: { population: 8175133 } }, …]
   * ```
   */
  aggregate<const Q extends AggregateQuery<D>>(query: Q): Promise<AggregateResult<D, Q>>

  /**
   * Changes every row that a condition finds, all in one commit or none: `set` is a patch or a function, as for `update`.
   * Rows keep their expiry.
   *
   * ```ts
   * await users.updateMany({ where: { city: 'Paris' }, set: { country: 'FR' } }) // { ok: true, count: 2, versionstamp: '…' }
   * ```
   */
  updateMany(query: WriteManyQuery<D> & { readonly set: Update<D> }): Promise<WriteManyResult>

  /** Removes every row that a condition finds, all in one commit or none. */
  deleteMany(query: WriteManyQuery<D>): Promise<WriteManyResult>

  /**
   * Keeps a query for many executions, with `parameter(name)` in the places of its operands.
   *
   * ```ts
   * const byEmail = users.prepare({ where: { email: parameter('email') } })
   * await byEmail.first({ email: 'alice@example.com' })
   * ```
   */
  prepare<const Q extends Query<D, R>>(query: Q & CheckedQuery<D, R, Q>): PreparedQuery<D, R, Q>

  /** The SQL of a query; what `with` loads is not part of it. */
  toSQL(query?: Query<D, R>): Promise<CompiledSql>

  /**
   * The steps of the engine's plan for a query.
   *
   * ```ts
   * await users.explain({ where: { email: 'alice@example.com' } })
   * // ['SEARCH kv USING INDEX kv_users_email_unique (<expr>=?)']
   * ```
   */
  explain(query?: Query<D, R>): Promise<readonly string[]>
}
