import type { KvU64 } from '../value/kv-u64.ts'
import type { Parameter } from './parameter.ts'

/** What has no fields of its own in a query. */
type Leaf =
  | string
  | number
  | bigint
  | boolean
  | symbol
  | null
  | undefined
  | Date
  | RegExp
  | URL
  | KvU64
  | ArrayBufferView
  | readonly unknown[]
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | ((...args: never) => unknown)

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
 * The conditions on one field. A comparison with a field that is null or missing is never true, not even `ne`, `notIn` and
 * `notLike`; nor is one between types, except for those three.
 */
export interface FieldConditions<V> {
  readonly eq?: OperandOf<V> | Parameter
  readonly ne?: OperandOf<V> | Parameter
  readonly gt?: OrderedOf<V> | Parameter
  readonly gte?: OrderedOf<V> | Parameter
  readonly lt?: OrderedOf<V> | Parameter
  readonly lte?: OrderedOf<V> | Parameter
  readonly in?: readonly Exclude<OperandOf<V>, boolean>[] | Parameter
  readonly notIn?: readonly Exclude<OperandOf<V>, boolean>[] | Parameter
  /** `%` stands for any text, `_` for one character; upper and lower case differ. */
  readonly like?: TextOf<V> extends never ? never : string | Parameter
  readonly notLike?: TextOf<V> extends never ? never : string | Parameter
  /** As `like`, where the letters A to Z are those of a to z. */
  readonly ilike?: TextOf<V> extends never ? never : string | Parameter
  readonly notIlike?: TextOf<V> extends never ? never : string | Parameter
  readonly isNull?: true
  readonly isNotNull?: true
  /** The array has each of these items. */
  readonly arrayContains?: ItemOf<V> extends never ? never : readonly ItemOf<V>[] | ItemOf<V> | Parameter
  readonly AND?: readonly FieldConditions<V>[]
  readonly OR?: readonly FieldConditions<V>[]
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
 * The rows to find: conditions that nest as the value does.
 *
 * @example
 * { age: { gte: 18 }, address: { city: 'Paris' }, OR: [{ name: { like: 'A%' } }, { email: { isNull: true } }] }
 */
export type Where<T> = unknown extends T
  ? { readonly [field: string]: unknown }
  : Logic<T> & ([Exclude<T, Leaf>] extends [never] ? unknown : WhereFields<Exclude<T, Leaf>>)

/** The order of rows: fields and directions, nested as the value; where rows agree in them, the key decides. */
export type OrderBy<T> = unknown extends T
  ? { readonly [field: string]: unknown }
  : { readonly [K in FieldName<Exclude<T, Leaf>>]?: OrderByField<FieldOf<Exclude<T, Leaf>, K>> }

type OrderByField<V> =
  | ([Extract<V, bigint>] extends [never] ? 'asc' | 'desc' : never)
  | ([Exclude<V, Leaf>] extends [never] ? never : OrderBy<Exclude<V, Leaf>>)

/** Which fields of the value to give: those that are true, or all but those that are false. */
export type Columns<T> = unknown extends T
  ? { readonly [field: string]: boolean }
  : { readonly [K in FieldName<Exclude<T, Leaf>>]?: boolean }

/** The value with the chosen fields. */
export type Chosen<T, C> = T extends Leaf
  ? T
  : true extends C[keyof C]
    ? Pick<T, { [K in keyof C & keyof T]: C[K] extends true ? K : never }[keyof C & keyof T]>
    : Omit<T, { [K in keyof C & keyof T]: C[K] extends false ? K : never }[keyof C & keyof T]>

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
