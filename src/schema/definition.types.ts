import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { IdKind, NameOf, Pattern, PatternOf, PatternPart } from '../key/pattern.types.ts'
import type { ValueType } from '../value/value-type.ts'
import type { FieldAt } from './field-path.types.ts'
import type { SearchDefinition, SearchOptions } from './search-definition.ts'

/** An index over fields of the stored value, which `defineSchema` makes from IndexOptions. */
export interface IndexDefinition {
  /** One or more fields, in the order of the index: dotted paths, such as `address.city`. */
  readonly fields: readonly string[]
  /** Whether no two rows may agree in all of them. */
  readonly unique: boolean
  /** Its bigint fields, which it keeps in order, unless it is unique. Left out if there are none. */
  readonly bigints?: readonly string[]
}

/** Fields whose value is the id of a row of another definition: a dotted path to that definition. */
export type References = { readonly [field: string]: AnyDefinition }

/**
 * A declaration for the keys that one pattern matches: the schema of their values, the name of their repository, the indexes over
 * them. Frozen; `defineSchema` makes it.
 */
export interface Definition<
  P extends Pattern = Pattern,
  S extends StandardSchemaV1 = StandardSchemaV1,
  N extends string = string,
  Refs extends References = References,
  Searched extends string = string,
> {
  /** The pattern of the keys: `'*'` stands for one part of an id. */
  readonly pattern: P
  /** The kind of the ids at each part of the pattern, `null` for any; empty if no wildcard is typed. */
  readonly idKinds: readonly (IdKind | null)[]
  /** The schema of the values. */
  readonly schema: S
  /** The name of the repository. */
  readonly name: N
  /** The indexes over the values. */
  readonly indexes: readonly IndexDefinition[]
  /** The fields that hold the id of a row of another definition. */
  readonly references: Refs
  /** The search by words; left out if none is declared. */
  readonly search?: SearchDefinition<Searched>
  /** How instances of classes in its values are stored. */
  readonly valueTypes?: readonly ValueType[]
}

/** A definition of any pattern, schema and name. */
export interface AnyDefinition extends Definition<Pattern, StandardSchemaV1, string, References> {}

/** One of the `indexes` of a schema. */
export interface IndexOptions {
  /** A field of the schema's output, or several, in the order of the index; dots lead into objects: `'address.city'`. */
  readonly on: string | readonly string[]
  /**
   * No two rows may agree in all of these fields: a write that would do so is a UniqueConstraintError. Rows in which one of them
   * is missing or null never clash, and expired rows do not count. Values are compared as stored: where a field may have several
   * types, 1 equals true, and a bigint, a Date or a URL its text. Default `false`.
   */
  readonly unique?: boolean
}

/** Makes the parameter of a pattern an error message where it has no parts. */
export type PartsCheck<P extends readonly PatternPart[]> = P extends readonly []
  ? { error: "a pattern needs at least one part, such as ['users', '*']" }
  : unknown

/** The last argument of `defineSchema` and `withSchema`. */
export interface DefinitionOptions {
  /** The name of the repository, an identifier. Default: the words of the pattern in camelCase, such as `usersPosts`. */
  readonly name?: string
  /**
   * The indexes over its values, such as `[{ on: 'email', unique: true }]`. Default: none. Every write pays for all indexes of a
   * file: above 100, `open` emits a `ManyIndexesWarning` once per process, with the code `MANY_INDEXES`.
   */
  readonly indexes?: readonly IndexOptions[]
  /**
   * The fields to search by words, which are texts or arrays of texts: `['title', 'body']`, or `{ on: ['title', 'body'], weights:
   * { title: 3 }, tokenizer: 'porter' }`. Default: none.
   */
  readonly search?: readonly string[] | SearchOptions
  /** Fields that hold the id of a row of another definition, such as `{ authorId: users }`, for `with` in queries. */
  readonly references?: References
  /** How to store instances of classes in its values: make each type with `defineValueType`. Default: none. */
  readonly valueTypes?: readonly ValueType[]
}

/**
 * The options that fit schema `S`; anything wrong becomes a type that says so. Intersect it with the inferred options: `options?: O
 * & CheckedOptions<S, O>`.
 */
export type CheckedOptions<S extends StandardSchemaV1, O> = {
  readonly [K in keyof O]: K extends 'indexes'
    ? CheckedIndexes<StandardSchemaV1.InferOutput<S>, O[K]>
    : K extends 'search'
      ? CheckedSearch<StandardSchemaV1.InferOutput<S>, O[K]>
      : K extends 'references'
        ? {
            readonly [F in keyof O[K]]: F extends string
              ? CheckedField<StandardSchemaV1.InferOutput<S>, F, O[K][F]>
              : never
          }
        : K extends keyof DefinitionOptions
          ? O[K]
          : { error: `no option '${K & string}': there are name, indexes, search, references and valueTypes` }
}

type CheckedIndexes<T, Indexes> = { readonly [I in keyof Indexes]: CheckedIndex<T, Indexes[I]> }

type CheckedSearch<T, Search> = Search extends readonly string[]
  ? CheckedTexts<T, Search>
  : {
      readonly [K in keyof Search]: K extends 'on'
        ? Search[K] extends string
          ? CheckedText<T, Search[K], Search[K]>
          : CheckedTexts<T, Search[K]>
        : K extends 'weights'
          ? {
              readonly [F in keyof Search[K]]: F extends SearchedBy<Search>
                ? Search[K][F]
                : { error: `the search is not on '${F & string}'` }
            }
          : K extends keyof SearchOptions
            ? Search[K]
            : { error: `no option '${K & string}' of a search: there are on, weights and tokenizer` }
    }

type CheckedTexts<T, Paths> = {
  readonly [I in keyof Paths]: Paths[I] extends string ? CheckedText<T, Paths[I], Paths[I]> : never
}

type CheckedText<T, Path extends string, Right> = string extends Path
  ? Right
  : CheckedField<T, Path, true> extends true
    ? IsText<NonNullable<FieldAt<T, Path>>> extends true
      ? Right
      : { error: `'${Path}' is not a text or an array of texts, which is all that can be searched` }
    : CheckedField<T, Path, Right>

type IsText<V> = unknown extends V
  ? true
  : [Extract<V, string>] extends [never]
    ? [Extract<V, readonly (string | null | undefined)[]>] extends [never]
      ? false
      : true
    : true

/** The fields that a `search` names. */
type SearchedBy<Search> = Search extends readonly (infer F extends string)[]
  ? F
  : Search extends { readonly on: infer On }
    ? On extends string
      ? On
      : On extends readonly (infer F extends string)[]
        ? F
        : never
    : never

/** The fields that a definition searches; `never` if it declares no search. */
export type SearchedOf<D extends AnyDefinition> =
  D extends Definition<Pattern, StandardSchemaV1, string, References, infer F> ? F : never

type CheckedIndex<T, Index> = {
  readonly [K in keyof Index]: K extends 'on'
    ? CheckedOn<T, Index[K]>
    : K extends keyof IndexOptions
      ? Index[K]
      : { error: `no option '${K & string}' of an index: there are on and unique` }
}

type CheckedOn<T, On> = On extends string
  ? CheckedField<T, On, On>
  : { readonly [I in keyof On]: On[I] extends string ? CheckedField<T, On[I], On[I]> : never }

/** Characters that would need escaping in an index expression: see `checkPath`. */
type Unsafe = '"' | "'" | '`' | '\\' | ',' | '[' | ']' | '(' | ')' | '{' | '}'

type CheckedField<T, Path extends string, Right> = string extends Path
  ? Right
  : Path extends `${string}${Unsafe}${string}` | ''
    ? {
        error: `'${Path}' cannot be named here: names without dots, quotes, commas, brackets and backslashes can, joined by dots`
      }
    : [FieldAt<T, Path>] extends [never]
      ? { error: `no field '${Path}' in the output of this schema` }
      : Right

/** The definition that `defineSchema` makes from a pattern, a schema and options. */
export type DefinitionOf<P extends readonly PatternPart[], S extends StandardSchemaV1, O> = Definition<
  PatternOf<P>,
  S,
  O extends { readonly name: infer N extends string } ? N : NameOf<PatternOf<P>>,
  O extends { readonly references: infer Refs extends References } ? Refs : Record<never, never>,
  O extends { readonly search: infer Search } ? SearchedBy<Search> : never
>
