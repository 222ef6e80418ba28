// The types of a query follow the shape of a value in one recursion: fields, operators, orders and columns.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Key } from '../contract/key.types.ts'
import type { IdOf } from '../key/pattern.types.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { InstanceIn, Ordered } from '../schema/field-path.types.ts'
import type { Leaf } from '../value/leaf.types.ts'
import type { Parameter } from './parameter.ts'

type Scalar = string | number | boolean | bigint | Date

/**
 * What a field is compared with: its own type; for a Date, also the ISO 8601 text of an instant; for a URL or a RegExp, its text;
 * for an instance of a class, whatever stands for it.
 */
type OperandOf<V> = unknown extends V
  ? Scalar
  : [InstanceIn<V>] extends [never]
    ? Extract<V, Scalar> | (Extract<V, Date | StoredAsText> extends never ? never : string)
    : Scalar

/** Values that are stored, and compared, as their text. */
type StoredAsText = URL | RegExp

type OrderedOf<V> = Exclude<OperandOf<V>, boolean>

type TextOf<V> = unknown extends V
  ? string
  : [InstanceIn<V>] extends [never]
    ? Extract<V, string> | (Extract<V, StoredAsText> extends never ? never : string)
    : string

/** What operators on texts take. */
type TextOperand<V> = TextOf<V> extends never ? never : string | Parameter

type ElementOf<V> = unknown extends V
  ? unknown
  : V extends readonly (infer Element)[] | ReadonlySet<infer Element>
    ? Element
    : never

type ItemOf<V> = unknown extends V ? Scalar : Extract<ElementOf<V>, Scalar>

/** What `some`, `every` and `none` take: conditions on an element, as on a field, or the element itself. */
type ElementWhere<V> = [ElementOf<V>] extends [never] ? never : FieldWhere<ElementOf<V>>

/**
 * The conditions on one field, all of which must be true. A comparison with a field that is null or missing is never true,
 * not even `ne`, `notIn` and `notLike`; nor is one between types, except for those three.
 */
export interface FieldConditions<V> {
  /** Equal; the value alone means the same. For a Date, you may pass the ISO 8601 text of an instant. */
  readonly eq?: OperandOf<V> | Parameter
  /** Not equal. */
  readonly ne?: OperandOf<V> | Parameter
  /** Greater: numbers, bigints, dates, and texts by their UTF-8 bytes. */
  readonly gt?: OrderedOf<V> | Parameter
  /** Greater or equal. */
  readonly gte?: OrderedOf<V> | Parameter
  /** Less. */
  readonly lt?: OrderedOf<V> | Parameter
  /** Less or equal. */
  readonly lte?: OrderedOf<V> | Parameter
  /** Equal to one of these; an empty array is never true. */
  readonly in?: readonly OperandOf<V>[] | Parameter
  /** Equal to none of these. */
  readonly notIn?: readonly OperandOf<V>[] | Parameter
  /**
   * `%` stands for any text, `_` for one character, and the character after a backslash stands for itself; upper and lower case
   * differ.
   */
  readonly like?: TextOperand<V>
  /** Not `like`. */
  readonly notLike?: TextOperand<V>
  /** Like `like`, but A to Z and a to z are the same letters. */
  readonly ilike?: TextOperand<V>
  /** Not `ilike`. */
  readonly notIlike?: TextOperand<V>
  /** Contains this text; every character stands for itself. */
  readonly contains?: TextOperand<V>
  /** Begins with this text: an index on the field serves it. */
  readonly startsWith?: TextOperand<V>
  /** Ends with this text. */
  readonly endsWith?: TextOperand<V>
  /** Like `contains`, but A to Z and a to z are the same letters. */
  readonly icontains?: TextOperand<V>
  /** Like `startsWith`, but A to Z and a to z are the same letters. */
  readonly istartsWith?: TextOperand<V>
  /** Like `endsWith`, but A to Z and a to z are the same letters. */
  readonly iendsWith?: TextOperand<V>
  /** Null or missing. */
  readonly isNull?: true
  /** Present and not null. */
  readonly isNotNull?: true
  /** The array has this item, or each of these. */
  readonly arrayContains?: ItemOf<V> extends never ? never : readonly ItemOf<V>[] | ItemOf<V> | Parameter
  /** At least one element of the array meets these conditions; with `{}`, the array is not empty. */
  readonly some?: ElementWhere<V>
  /** Every element of the array meets these conditions. */
  readonly every?: ElementWhere<V>
  /** No element of the array meets these conditions; with `{}`, the array is empty. */
  readonly none?: ElementWhere<V>
  /** All of these are true. */
  readonly AND?: readonly ConditionsWithin<V>[]
  /** One of these is true. */
  readonly OR?: readonly ConditionsWithin<V>[]
  /** This is not true; for a field that is null or missing, it is not true either. */
  readonly NOT?: ConditionsWithin<V>
}

/**
 * The conditions on the id of a row, `$id`, all of which must be true. They compare in the order of keys, which serves them. An
 * operand is an id: one part for one wildcard, a tuple for several.
 */
export interface IdConditions<Id> {
  /** This id; the id alone means the same. */
  readonly eq?: Id | Parameter
  /** Another id. */
  readonly ne?: Id | Parameter
  /** After this id, in the order of keys. */
  readonly gt?: Id | Parameter
  /** This id, or after it. */
  readonly gte?: Id | Parameter
  /** Before this id. */
  readonly lt?: Id | Parameter
  /** This id, or before it. */
  readonly lte?: Id | Parameter
  /** One of these; an empty array is never true. */
  readonly in?: readonly Id[] | Parameter
  /** None of these. */
  readonly notIn?: readonly Id[] | Parameter
  /** A text that begins with this one. For an id of several parts, pass the leading ones as the query's `prefix`. */
  readonly startsWith?: Id extends Key ? never : string | Parameter
  /** All of these are true. */
  readonly AND?: readonly IdConditions<Id>[]
  /** One of these is true. */
  readonly OR?: readonly IdConditions<Id>[]
  /** This is not true. */
  readonly NOT?: IdConditions<Id>
}

/** Conditions on a field, and on the fields in it. */
type ConditionsWithin<V> = FieldConditions<V> & NestedWhere<V>

type FieldWhere<V> = OperandOf<V> | Parameter | ConditionsWithin<V>

// In a tuple, the union of a nullable object is not distributed over its members.
type NestedWhere<V> = unknown extends V
  ? { readonly [field: string]: unknown }
  : [Exclude<V, Leaf>] extends [never]
    ? unknown
    : WhereFields<Exclude<V, Leaf>, keyof FieldConditions<unknown>>

type WhereFields<T, Reserved extends string> = {
  readonly [K in FieldName<T> as FieldKey<K, Reserved>]?: FieldWhere<FieldOf<T, K>>
}

/** How to name a field in a query: with a backslash if the name means something else there. */
type FieldKey<Name extends string, Reserved extends string> = Name extends Reserved | `\\${string}`
  ? `\\${Name}`
  : Name

/** The field that a name in a query stands for. */
type NamedField<K> = K extends `\\${infer Name}` ? Name : K

type FieldName<T> = T extends unknown ? keyof T & string : never

type FieldOf<T, K> = T extends unknown ? (K extends keyof T ? T[K] : never) : never

/** The values of a definition; any other type is itself the type of the values. */
type ValuesOf<T> = unknown extends T
  ? T
  : [T] extends [AnyDefinition]
    ? StandardSchemaV1.InferOutput<T['schema']>
    : T

type RowNames = 'AND' | 'OR' | 'NOT' | '$id' | '$search'

interface Logic<T, Id> {
  readonly AND?: readonly ValueWhere<T, Id>[]
  readonly OR?: readonly ValueWhere<T, Id>[]
  readonly NOT?: ValueWhere<T, Id>
  /** The id of the row, or conditions on it. */
  readonly $id?: [Id] extends [undefined] ? never : Id | Parameter | IdConditions<Id>
  /**
   * The words to find in the fields that the definition's `search` names: `word`, `wor*` for what begins so, `"two words"` for both in
   * a row, `-word` for what is not to be there. Whatever a text holds, it is no error.
   */
  readonly $search?: string | Parameter
}

/**
 * The rows to find, for a definition (`Where<typeof users>`) or for a type of values: conditions that nest like the value, all of
 * which must be true. Compare a field with a value, or with FieldConditions. `AND` and `OR` take arrays of conditions, `NOT`
 * takes one, and `$id` is the id of the row.
 *
 * ```ts
 * const where: Where<User> = {
 *   age: { gte: 18 },
 *   city: 'Paris',
 *   OR: [{ name: { startsWith: 'A' } }, { email: { endsWith: '.org' } }],
 * }
 * await users.count({ where }) // => 1
 * await users.count({ where: { $id: { in: ['alice', 'carol'] } } }) // => 1
 * ```
 *
 * If the name of a field means something else in its place, such as `AND`, or `in` inside a field, write a backslash before it:
 * `{ '\\AND': 1 }`. `undefined` and null as operands are a QueryError, so a forgotten filter finds nothing.
 */
export type Where<T, Id = undefined> = unknown extends T
  ? ValueWhere<T>
  : [T] extends [AnyDefinition]
    ? ValueWhere<StandardSchemaV1.InferOutput<T['schema']>, IdOf<T['pattern']>>
    : ValueWhere<T, Id>

/** `Where` of values, not of a definition. */
export type ValueWhere<T, Id = undefined> = unknown extends T
  ? { readonly [field: string]: unknown }
  : Logic<T, Id> & ([Exclude<T, Leaf>] extends [never] ? unknown : WhereFields<Exclude<T, Leaf>, RowNames>)

/**
 * The order of rows, for a definition or a type of values: fields with `'asc'` or `'desc'`, nested like the value, and `$id` for
 * the id; earlier fields count first. If rows agree in them, the key decides, in the last direction. Ascending, null and missing
 * come first, then numbers, then texts by their UTF-8 bytes.
 *
 * ```ts
 * const byCity: OrderBy<User> = { city: 'asc', age: 'desc' }
 * const sorted = await users.findMany({ orderBy: byCity })
 * sorted.map(({ id }) => id) // => ['alice', 'bob']
 * ```
 */
export type OrderBy<T> = ValueOrderBy<ValuesOf<T>>

/** `OrderBy` of values, not of a definition. */
export type ValueOrderBy<T> = unknown extends T
  ? { readonly [field: string]: unknown }
  : { readonly $id?: Direction; readonly $rank?: Direction } & OrderByFields<
      Exclude<T, Leaf>,
      '$id' | '$rank'
    >

type Direction = 'asc' | 'desc'

type HasOrder<V> = unknown extends V ? true : [Ordered<V>] extends [never] ? false : true

type OrderByFields<T, Reserved extends string> = {
  readonly [K in FieldName<T> as FieldKey<K, Reserved>]?: OrderByField<FieldOf<T, K>>
}

type OrderByField<V> =
  | (HasOrder<V> extends true ? Direction : never)
  | ([Exclude<V, Leaf>] extends [never] ? never : OrderByFields<Exclude<V, Leaf>, never>)

/**
 * Which fields of the value to return, for a definition or a type of values: those that are true, or all but those that are
 * false. `{}` returns none.
 *
 * ```ts
 * const alice = await users.findFirst({ columns: { email: false, age: false } })
 * alice?.value // => { name: 'Alice', city: 'Paris' }
 * ```
 */
export type Columns<T> = ValueColumns<ValuesOf<T>>

/** `Columns` of values, not of a definition. */
export type ValueColumns<T> = unknown extends T
  ? { readonly [field: string]: boolean }
  : { readonly [K in FieldName<Exclude<T, Leaf>>]?: boolean }

/** The value with the chosen fields. For a query of type any, `C` is unknown, and nothing is left out. */
export type Chosen<T, C> = T extends Leaf
  ? T
  : [keyof C, C] extends [never, object]
    ? Pick<T, never>
    : true extends C[keyof C]
      ? Pick<T, { [K in keyof C & keyof T]: C[K] extends true ? K : never }[keyof C & keyof T]>
      : Omit<T, { [K in keyof C & keyof T]: C[K] extends false ? K : never }[keyof C & keyof T]>

/** `O`, where each name that is not a field becomes a type that says so. */
export type CheckedOrder<T, O, Name extends string> = unknown extends T
  ? unknown
  : O extends readonly unknown[]
    ? { readonly [I in keyof O]: CheckedOrder<T, O[I], Name> }
    : {
        readonly [K in keyof O]: string extends K
          ? O[K]
          : NamedField<K> extends FieldName<Exclude<T, Leaf>>
            ? CheckedOrderField<FieldOf<Exclude<T, Leaf>, NamedField<K>>, O[K], `${Name}.${K & string}`>
            : K extends '$id' | '$rank'
              ? O[K]
              : { error: `there is no field '${K & string}' in ${Name}` }
      }

type CheckedOrderField<V, O, Name extends string> = O extends Direction
  ? HasOrder<V> extends true
    ? O
    : {
        error: `objects, arrays, Maps, Sets and bigints among other values have no order: name a field in ${Name}`
      }
  : CheckedOrder<V, O, Name>

/** `C`, where each name that is not a field becomes a type that says so. */
export type CheckedColumns<T, C, Name extends string> = unknown extends T
  ? unknown
  : {
      readonly [K in keyof C]: K extends FieldName<Exclude<T, Leaf>>
        ? C[K]
        : { error: `there is no field '${K & string}' in ${Name}` }
    }

/** `W`, where each name that is not a field becomes a type that says so. */
export type CheckedWhere<T, W, Name extends string, Searched extends string = string> = unknown extends T
  ? unknown
  : {
      readonly [K in keyof W]: K extends 'AND' | 'OR'
        ? CheckedList<T, W[K], Name, Searched>
        : K extends 'NOT'
          ? CheckedWhere<T, W[K], Name, Searched>
          : K extends '$search'
            ? [Searched, object] extends [never, Pick<W, K>]
              ? W[K]
              : [Searched] extends [never]
                ? { error: `${Name} cannot be searched: declare { search: ['title'] } with the schema` }
                : W[K]
            : K extends '$id'
              ? W[K]
              : string extends K
                ? W[K]
                : NamedField<K> extends FieldName<T>
                  ? CheckedField<FieldOf<T, NamedField<K>>, W[K], `${Name}.${K & string}`>
                  : { error: `there is no field '${K & string}' in ${Name}` }
    }

type CheckedList<T, L, Name extends string, Searched extends string> = {
  readonly [I in keyof L]: CheckedWhere<T, L[I], Name, Searched>
}

type CheckedField<V, W, Name extends string> = W extends Scalar | readonly unknown[] | Parameter
  ? W
  : {
      readonly [K in keyof W]: K extends 'some' | 'every' | 'none'
        ? CheckedField<ElementOf<V>, W[K], `an element of ${Name}`>
        : K extends keyof FieldConditions<unknown>
          ? W[K]
          : string extends K
            ? W[K]
            : [Exclude<V, Leaf>] extends [never]
              ? { error: `there is no operator '${K & string}' for ${Name}` }
              : unknown extends V
                ? W[K]
                : NamedField<K> extends FieldName<Exclude<V, Leaf>>
                  ? CheckedField<FieldOf<Exclude<V, Leaf>, NamedField<K>>, W[K], `${Name}.${K & string}`>
                  : { error: `there is no field or operator '${K & string}' in ${Name}` }
    }
