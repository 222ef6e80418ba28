import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { IdOf, KeyOf, Pattern, PrefixIdsOf } from '../../key/pattern.types.ts'
import type { Parameter } from '../../query/parameter.ts'
import type { Chosen, ValueColumns, ValueOrderBy, ValueWhere } from '../../query/query.types.ts'
import type { AnyDefinition, SearchedOf } from '../../schema/definition.types.ts'
import type { FieldPath } from '../../schema/field-path.types.ts'
import type { DefinitionByName, Definitions } from '../../schema/registry.types.ts'
import type { ChosenRow, Row } from './entry.types.ts'

type Output<D extends AnyDefinition> = StandardSchemaV1.InferOutput<D['schema']>

/** The rows that are loaded with others: each `true`, or a query of its own. */
export interface NestedQuery<D extends AnyDefinition, R extends Definitions> {
  /** Which rows: those where it is true. Left out: all. */
  readonly where?: ValueWhere<Output<D>, IdOf<D['pattern']>>
  /** In which order; of an array, the earlier ones first. Rows that agree come by key. */
  readonly orderBy?: ValueOrderBy<Output<D>> | readonly ValueOrderBy<Output<D>>[]
  /** The most rows, of each parent where they are loaded by `with`. Left out: all. */
  readonly limit?: number | Parameter
  /** How many rows to leave out at the beginning. Default 0. */
  readonly offset?: number | Parameter
  /** Which fields of the value to give. Left out: all. */
  readonly columns?: ValueColumns<Output<D>>
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

/**
 * A query on the rows of a repository. All parts can be left out. A limit or an offset that is not a whole number is a
 * RangeError, an option that does not exist a TypeError, and whatever else is wrong in it a QueryError.
 */
export interface Query<D extends AnyDefinition, R extends Definitions = readonly []>
  extends NestedQuery<D, R> {
  /** The `cursor` of the page before, of a query with the same order: goes on behind it. Null: from the beginning. */
  readonly after?: string | null | undefined | Parameter
  /** The leading ids of the rows: what fills some of the wildcards, but not the last one. */
  readonly prefix?: OrParameters<PrefixIdsOf<D['pattern']>>
  /**
   * Of the rows that agree in this field, or in all of these, the first one in the order of the query only. Fields are dotted paths, as
   * `'address.city'`.
   */
  readonly distinct?: FieldPath<Output<D>> | readonly FieldPath<Output<D>>[]
  /**
   * Shows where the words of `$search` are found, as `highlights` in each entry: `true` in all fields that are searched, or
   * `{ title: true, body: 16 }`, in all of the title and in 16 words of the body (1 to 64). Left out: nowhere.
   */
  readonly highlight?: boolean | { readonly [Field in SearchedOf<D>]?: boolean | number }
}

/** A part of a text: `hit` where it is what was searched for. */
export interface TextPart {
  readonly text: string
  readonly hit: boolean
}

/** What `highlight` shows of a row: of each field its text in parts, all of it or an excerpt; null where it has no text. */
export type Highlights<Field extends string = string> = { readonly [F in Field]: readonly TextPart[] | null }

/** The fields that a `highlight` names. */
type Highlighted<D extends AnyDefinition, H> = H extends true
  ? SearchedOf<D>
  : { [F in keyof H]: H[F] extends false | undefined ? never : F }[keyof H] & string

type OrParameters<Ids extends readonly unknown[]> = { readonly [I in keyof Ids]: Ids[I] | Parameter }

/** The entry that a query gives: with the chosen fields of its value, and with the rows it was to load. */
export type QueryEntry<D extends AnyDefinition, R extends Definitions, Q> = Q extends {
  readonly with: infer W
}
  ? FoundRow<D, Q> & {
      readonly [Name in keyof W as W[Name] extends false ? never : Name]: Name extends keyof D['references']
        ? QueryEntry<D['references'][Name], R, W[Name]> | null
        : QueryEntry<DefinitionByName<R, Name & string>, R, W[Name]>[]
    }
  : FoundRow<D, Q>

type FoundRow<D extends AnyDefinition, Q> = Q extends { readonly columns: infer C }
  ? ChosenRow<IdOf<D['pattern']>, KeyOf<D['pattern']>, Chosen<Output<D>, C>> & Shown<D, Q>
  : Row<IdOf<D['pattern']>, KeyOf<D['pattern']>, Output<D>> & Shown<D, Q>

type Shown<D extends AnyDefinition, Q> = Q extends { readonly highlight: infer H }
  ? H extends false
    ? unknown
    : { readonly highlights: Highlights<Highlighted<D, H>> }
  : unknown

/** The names of the repositories whose patterns go on from that of `D`. */
export type NestedNames<D extends AnyDefinition, R extends Definitions> = NestedName<R[number], D['pattern']>

type NestedName<C extends AnyDefinition, P extends Pattern> = C extends unknown
  ? C['pattern'] extends readonly [...P, unknown, ...unknown[]]
    ? C['name']
    : never
  : never
