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
  /** Which rows: those for which it is true. Left out: all. */
  readonly where?: ValueWhere<Output<D>, IdOf<D['pattern']>> | undefined
  /** In which order; in an array, the earlier terms count first. Equal rows come by key. */
  readonly orderBy?: ValueOrderBy<Output<D>> | readonly ValueOrderBy<Output<D>>[] | undefined
  /** The most rows; in `with`, for each parent. Left out: all. */
  readonly limit?: number | Parameter | undefined
  /** How many rows to skip at the beginning. Default 0. */
  readonly offset?: number | Parameter | undefined
  /** Which fields of the value to return. Left out: all. */
  readonly columns?: ValueColumns<Output<D>> | undefined
  /**
   * Related rows to load, under their name: a list of rows of a repository whose pattern extends this one, or the row that a
   * field in `references` names, or null. Each is `true`, or a query without `after` and `prefix`.
   */
  readonly with?: With<D, R> | undefined
}

/** Relations by name: repositories whose patterns go on from this one, and fields that `references` declares. */
export type With<D extends AnyDefinition, R extends Definitions> = {
  readonly [Name in NestedNames<D, R>]?: boolean | NestedQuery<DefinitionByName<R, Name>, R>
} & {
  readonly [Field in keyof D['references'] & string]?: boolean | NestedQuery<D['references'][Field], R>
}

/**
 * A query on the rows of a repository. You can leave out every part. A limit or an offset that is not a whole number is a
 * RangeError, an unknown option a TypeError, and any other mistake a QueryError.
 */
export interface Query<D extends AnyDefinition, R extends Definitions = readonly []>
  extends NestedQuery<D, R> {
  /** The `cursor` of the page before, from a query with the same order: continues after it. Null: from the beginning. */
  readonly after?: string | null | undefined | Parameter
  /** The leading ids of the rows, which fill some of the wildcards, but not the last one. */
  readonly prefix?: OrParameters<PrefixIdsOf<D['pattern']>> | undefined
  /**
   * Only the first row, in the order of the query, of those that agree in this field, or in all of these. Fields are dotted
   * paths, such as `'address.city'`.
   */
  readonly distinct?: FieldPath<Output<D>> | readonly FieldPath<Output<D>>[] | undefined
  /**
   * Shows where the words of `$search` were found, as `highlights` in each entry: `true` for all searched fields, or `{ title:
   * true, body: 16 }` for all of the title and 16 words of the body (1 to 64). Left out: nowhere.
   */
  readonly highlight?: boolean | { readonly [Field in SearchedOf<D>]?: boolean | number } | undefined
}

/** A part of a text; `hit` if it is one of the words that you searched for. */
export interface TextPart {
  readonly text: string
  readonly hit: boolean
}

/** What `highlight` shows of a row: the text of each field in parts, all of it or an excerpt; null if the field has no text. */
export type Highlights<Field extends string = string> = { readonly [F in Field]: readonly TextPart[] | null }

/** The fields that a `highlight` names. */
type Highlighted<D extends AnyDefinition, H> = H extends true
  ? SearchedOf<D>
  : { [F in keyof H]: H[F] extends false | undefined ? never : F }[keyof H] & string

type OrParameters<Ids extends readonly unknown[]> = { readonly [I in keyof Ids]: Ids[I] | Parameter }

/** The entry that a query returns: with the chosen fields of its value, and with its related rows. */
export type QueryEntry<D extends AnyDefinition, R extends Definitions, Q> = Q extends {
  readonly with: infer W
}
  ? FoundRow<D, Q> & {
      readonly [Name in keyof W as W[Name] extends false ? never : Name]:
        | (Name extends keyof D['references']
            ? QueryEntry<D['references'][Name], R, Exclude<W[Name], false>> | null
            : QueryEntry<DefinitionByName<R, Name & string>, R, Exclude<W[Name], false>>[])
        | (false extends W[Name] ? undefined : never)
    }
  : FoundRow<D, Q>

type FoundRow<D extends AnyDefinition, Q> = (Q extends { readonly columns: infer C }
  ? RowWith<D, C>
  : RowWith<D, undefined>) &
  Shown<D, Q>

/** A row with the fields that `columns` chooses: of a union, with what each member chooses. */
type RowWith<D extends AnyDefinition, C> = C extends undefined
  ? Row<IdOf<D['pattern']>, KeyOf<D['pattern']>, Output<D>>
  : ChosenRow<IdOf<D['pattern']>, KeyOf<D['pattern']>, Chosen<Output<D>, C>>

type Shown<D extends AnyDefinition, Q> = Q extends { readonly highlight: infer H }
  ? H extends false | undefined
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
