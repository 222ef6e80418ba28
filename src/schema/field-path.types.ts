import type { Leaf } from '../value/leaf.types.ts'

/** Only so many levels are spelled out, so that the paths of a type that contains itself end. */
type Levels = [1, 1, 1, 1]

/**
 * The dotted paths to the fields of `T`, through plain objects and their optional fields, four objects deep; of a union,
 * the paths of each member. Where the fields are not known (`unknown`, `any`, a record) it is `string`.
 *
 * @example
 * FieldPath<{ name: string; address?: { city: string } }> // 'name' | 'address' | 'address.city'
 */
export type FieldPath<T, Left extends readonly unknown[] = Levels> = unknown extends T
  ? string
  : T extends Leaf
    ? never
    : Left extends readonly [unknown, ...infer Rest]
      ? { [K in FieldName<T>]: K | `${K}.${Nested<FieldNamed<T, K>, Rest>}` }[FieldName<T>]
      : never

/** Paths below a field of unknown type are not offered: `FieldPath` would be `string` there. */
type Nested<T, Left extends readonly unknown[]> = unknown extends T ? never : FieldPath<T, Left>

/**
 * The type of the field at a dotted path, at any depth, given that the objects on the way are there; `never` where
 * there is no such field.
 *
 * @example
 * FieldAt<{ address?: { city: string } }, 'address.city'> // string
 * FieldAt<{ address?: { city: string } }, 'address.town'> // never
 */
export type FieldAt<T, Path extends string> = unknown extends T
  ? unknown
  : T extends Leaf
    ? never
    : Path extends FieldName<T>
      ? FieldNamed<T, Path>
      : Path extends `${infer Head}.${infer Tail}`
        ? Head extends FieldName<T>
          ? FieldAt<FieldNamed<T, Head>, Tail>
          : never
        : never

/** The names of the fields of an object that a path can spell: a name that contains a dot would be read as two. */
type FieldName<T> = Exclude<`${keyof T & (string | number)}`, `${string}.${string}`>

type FieldNamed<T, Name extends string> = Name extends keyof T
  ? T[Name]
  : Name extends `${infer N extends number & keyof T}`
    ? T[N]
    : never
