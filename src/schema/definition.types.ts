import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { IdKind, NameOf, Pattern, PatternOf, PatternPart } from '../key/pattern.types.ts'
import type { ValueType } from '../value/value-type.ts'
import type { FieldAt } from './field-path.types.ts'

/** An index over fields of the stored value. Made by `defineSchema`, of its IndexOptions. */
export interface IndexDefinition {
  /** One field or several, in the order of the index: dotted paths, as `address.city`. */
  readonly fields: readonly string[]
  /** Whether no two rows may agree in all of them. */
  readonly unique: boolean
  /** Those of its fields that are bigints, where it is not unique: it holds them in their order. Left out if there are none. */
  readonly bigints?: readonly string[]
}

/** Fields whose value is the id of a row of another definition: a dotted path to that definition. */
export type References = { readonly [field: string]: AnyDefinition }

/**
 * What is declared of the keys that one pattern matches: the schema of their values, the name of their repository, the
 * indexes over them. Frozen; made by `defineSchema`.
 */
export interface Definition<
  P extends Pattern = Pattern,
  S extends StandardSchemaV1 = StandardSchemaV1,
  N extends string = string,
  Refs extends References = References,
> {
  /** The pattern of the keys: `'*'` stands for one part of an id. */
  readonly pattern: P
  /** The kind of the ids at each part of the pattern, `null` for any; empty where no wildcard is typed. */
  readonly idKinds: readonly (IdKind | null)[]
  /** The schema of the values. */
  readonly schema: S
  /** The name of the repository. */
  readonly name: N
  /** The indexes over the values. */
  readonly indexes: readonly IndexDefinition[]
  /** The fields that hold the id of a row of another definition. */
  readonly references: Refs
  /** How the instances of classes in its values are stored. */
  readonly valueTypes?: readonly ValueType[]
}

/** A definition of any pattern, schema and name. */
export interface AnyDefinition extends Definition<Pattern, StandardSchemaV1, string, References> {}

/** One of the `indexes` of a schema. */
export interface IndexOptions {
  /** A field of the schema's output, or several in the order of the index; dots lead into objects: `'address.city'`. */
  readonly on: string | readonly string[]
  /**
   * No two rows may agree in all of these fields: such a write is a UniqueConstraintError. Rows where one of them is missing
   * or null never clash, and rows that have expired do not count. Default `false`.
   */
  readonly unique?: boolean
}

/** The last argument of `defineSchema` and `withSchema`. */
export interface DefinitionOptions {
  /** The name of the repository, an identifier. Default: the words of the pattern in camelCase, as `usersPosts`. */
  readonly name?: string
  /**
   * The indexes over its values, as `[{ on: 'email', unique: true }]`. Default: none. Every write pays for all indexes of a file:
   * where they are more than 100, `open` emits a `ManyIndexesWarning` once a process, with the code `MANY_INDEXES`.
   */
  readonly indexes?: readonly IndexOptions[]
  /** Fields that hold the id of a row of another definition, as `{ authorId: users }`, for `with` in queries. */
  readonly references?: References
  /** How the instances of classes in its values are stored: each made by `defineValueType`. Default: none. */
  readonly valueTypes?: readonly ValueType[]
}

/**
 * Options that are right for schema `S`; what is wrong becomes a type that says so. Intersect it with the inferred
 * options: `options?: O & CheckedOptions<S, O>`.
 */
export type CheckedOptions<S extends StandardSchemaV1, O> = {
  readonly [K in keyof O]: K extends 'indexes'
    ? CheckedIndexes<StandardSchemaV1.InferOutput<S>, O[K]>
    : K extends 'references'
      ? {
          readonly [F in keyof O[K]]: F extends string
            ? CheckedField<StandardSchemaV1.InferOutput<S>, F, O[K][F]>
            : never
        }
      : K extends keyof DefinitionOptions
        ? O[K]
        : { error: `no option '${K & string}': there are name, indexes, references and valueTypes` }
}

type CheckedIndexes<T, Indexes> = { readonly [I in keyof Indexes]: CheckedIndex<T, Indexes[I]> }

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

/** Characters that would have to be escaped in an index expression: see `checkPath`. */
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

/** The definition that `defineSchema` makes of a pattern, a schema and options. */
export type DefinitionOf<P extends readonly PatternPart[], S extends StandardSchemaV1, O> = Definition<
  PatternOf<P>,
  S,
  O extends { readonly name: infer N extends string } ? N : NameOf<PatternOf<P>>,
  O extends { readonly references: infer Refs extends References } ? Refs : Record<never, never>
>
