import type { Leaf } from '../value/leaf.types.ts'
import type { Parameter } from './parameter.ts'

type Scalar = string | number | boolean | bigint | Date

/** What a field is compared with: its own type; a Date also with its ISO string. */
type OperandOf<V> = unknown extends V
  ? Scalar
  : Extract<V, Scalar> | (Extract<V, Date> extends never ? never : string)

type OrderedOf<V> = Exclude<OperandOf<V>, boolean | bigint>

type TextOf<V> = unknown extends V ? string : Extract<V, string>

type ItemOf<V> = unknown extends V
  ? Scalar
  : V extends readonly (infer Item)[] | ReadonlySet<infer Item>
    ? Extract<Item, Scalar>
    : never

/**
 * The conditions on one field, all of which must be true. A comparison with a field that is null or missing is never true,
 * not even `ne`, `notIn` and `notLike`; nor is one between types, except for those three.
 */
export interface FieldConditions<V> {
  /** Equal: as the value itself in place of the conditions. A Date may be given as its ISO string. */
  readonly eq?: OperandOf<V> | Parameter
  /** Not equal. */
  readonly ne?: OperandOf<V> | Parameter
  /** Greater: numbers, dates, and texts by their UTF-8 bytes. Of a bigint it is a QueryError. */
  readonly gt?: OrderedOf<V> | Parameter
  /** Greater or equal. */
  readonly gte?: OrderedOf<V> | Parameter
  /** Less. */
  readonly lt?: OrderedOf<V> | Parameter
  /** Less or equal. */
  readonly lte?: OrderedOf<V> | Parameter
  /** Equal to one of these; of none, false. */
  readonly in?: readonly OperandOf<V>[] | Parameter
  /** Equal to none of these. */
  readonly notIn?: readonly OperandOf<V>[] | Parameter
  /** `%` stands for any text, `_` for one character; upper and lower case differ. */
  readonly like?: TextOf<V> extends never ? never : string | Parameter
  /** Not `like`. */
  readonly notLike?: TextOf<V> extends never ? never : string | Parameter
  /** As `like`, where the letters A to Z are those of a to z. */
  readonly ilike?: TextOf<V> extends never ? never : string | Parameter
  /** Not `ilike`. */
  readonly notIlike?: TextOf<V> extends never ? never : string | Parameter
  /** Null or missing. */
  readonly isNull?: true
  /** There, and not null. */
  readonly isNotNull?: true
  /** The array has this item, or each of these. */
  readonly arrayContains?: ItemOf<V> extends never ? never : readonly ItemOf<V>[] | ItemOf<V> | Parameter
  /** All of these are true. */
  readonly AND?: readonly FieldConditions<V>[]
  /** One of these is true. */
  readonly OR?: readonly FieldConditions<V>[]
  /** This is not true; of a field that is null or missing, it is not true either. */
  readonly NOT?: FieldConditions<V>
}

type FieldWhere<V> = OperandOf<V> | Parameter | (FieldConditions<V> & NestedWhere<V>)

// A tuple keeps the union of a nullable object from being told apart into its members.
type NestedWhere<V> = unknown extends V
  ? object
  : [Exclude<V, Leaf>] extends [never]
    ? unknown
    : WhereFields<Exclude<V, Leaf>>

type WhereFields<T> = { readonly [K in FieldName<T>]?: FieldWhere<FieldOf<T, K>> }

type FieldName<T> = T extends unknown ? keyof T & string : never

type FieldOf<T, K> = T extends unknown ? (K extends keyof T ? T[K] : never) : never

interface Logic<T> {
  readonly AND?: readonly Where<T>[]
  readonly OR?: readonly Where<T>[]
  readonly NOT?: Where<T>
}

/**
 * The rows to find: conditions that nest as the value does, all of which must be true. A field is compared with a value, or
 * by FieldConditions; `AND` and `OR` take arrays of conditions, `NOT` takes one.
 *
 * ```ts
 * const where: Where<User> = {
 *   age: { gte: 18 },
 *   city: 'Paris',
 *   OR: [{ name: { like: 'A%' } }, { email: { like: '%.org' } }],
 * }
 * await users.count({ where }) // => 1
 * ```
 *
 * `undefined` and null are no operands, so that a filter that was forgotten finds nothing: a QueryError.
 */
export type Where<T> = unknown extends T
  ? { readonly [field: string]: unknown }
  : Logic<T> & ([Exclude<T, Leaf>] extends [never] ? unknown : WhereFields<Exclude<T, Leaf>>)

/**
 * The order of rows: fields with `'asc'` or `'desc'`, nested as the value, the earlier ones first. Where rows agree in them,
 * the key decides, in the last direction. Ascending, null and missing come first, then numbers, then texts by their UTF-8
 * bytes.
 *
 * ```ts
 * const byCity: OrderBy<User> = { city: 'asc', age: 'desc' }
 * const sorted = await users.findMany({ orderBy: byCity })
 * sorted.map(({ id }) => id) // => ['alice', 'bob']
 * ```
 */
export type OrderBy<T> = unknown extends T
  ? { readonly [field: string]: unknown }
  : { readonly [K in FieldName<Exclude<T, Leaf>>]?: OrderByField<FieldOf<Exclude<T, Leaf>, K>> }

type OrderByField<V> =
  | ([Extract<V, bigint>] extends [never] ? 'asc' | 'desc' : never)
  | ([Exclude<V, Leaf>] extends [never] ? never : OrderBy<Exclude<V, Leaf>>)

/**
 * Which fields of the value to give: those that are true, or all but those that are false.
 *
 * ```ts
 * const alice = await users.findFirst({ columns: { email: false, age: false } })
 * alice?.value // => { name: 'Alice', city: 'Paris' }
 * ```
 */
export type Columns<T> = unknown extends T
  ? { readonly [field: string]: boolean }
  : { readonly [K in FieldName<Exclude<T, Leaf>>]?: boolean }

/** The value with the chosen fields. */
export type Chosen<T, C> = T extends Leaf
  ? T
  : true extends C[keyof C]
    ? Pick<T, { [K in keyof C & keyof T]: C[K] extends true ? K : never }[keyof C & keyof T]>
    : Omit<T, { [K in keyof C & keyof T]: C[K] extends false ? K : never }[keyof C & keyof T]>

/** `O`, where each name that is no field becomes a type that says so. */
export type CheckedOrder<T, O, Name extends string> = unknown extends T
  ? unknown
  : O extends readonly unknown[]
    ? { readonly [I in keyof O]: CheckedOrder<T, O[I], Name> }
    : {
        readonly [K in keyof O]: K extends FieldName<Exclude<T, Leaf>>
          ? CheckedOrder<FieldOf<Exclude<T, Leaf>, K>, O[K], `${Name}.${K}`>
          : { error: `there is no field '${K & string}' in ${Name}` }
      }

/** `C`, where each name that is no field becomes a type that says so. */
export type CheckedColumns<T, C, Name extends string> = unknown extends T
  ? unknown
  : {
      readonly [K in keyof C]: K extends FieldName<Exclude<T, Leaf>>
        ? C[K]
        : { error: `there is no field '${K & string}' in ${Name}` }
    }

/** `W`, where each name that is no field becomes a type that says so. */
export type CheckedWhere<T, W, Name extends string> = unknown extends T
  ? unknown
  : {
      readonly [K in keyof W]: K extends 'AND' | 'OR'
        ? CheckedList<T, W[K], Name>
        : K extends 'NOT'
          ? CheckedWhere<T, W[K], Name>
          : K extends FieldName<T>
            ? CheckedField<FieldOf<T, K>, W[K], `${Name}.${K}`>
            : K extends keyof FieldConditions<unknown>
              ? W[K]
              : { error: `there is no field '${K & string}' in ${Name}` }
    }

type CheckedList<T, L, Name extends string> = { readonly [I in keyof L]: CheckedWhere<T, L[I], Name> }

type CheckedField<V, W, Name extends string> = W extends Scalar | readonly unknown[] | Parameter
  ? W
  : {
      readonly [K in keyof W]: K extends keyof FieldConditions<unknown>
        ? W[K]
        : [Exclude<V, Leaf>] extends [never]
          ? { error: `there is no operator '${K & string}' for ${Name}` }
          : unknown extends V
            ? W[K]
            : K extends FieldName<Exclude<V, Leaf>>
              ? CheckedField<FieldOf<Exclude<V, Leaf>, K>, W[K], `${Name}.${K & string}`>
              : { error: `there is no field or operator '${K & string}' in ${Name}` }
    }
