import type { Leaf } from '../value/leaf.types.ts'

/** Only so many levels are spelled out, so that the paths of a type that contains itself end. */
type Levels = [1, 1, 1, 1]

/**
 * The dotted paths to the fields of `T`, a backslash before a dot or a backslash that is part of a name, through plain objects and their optional fields, four objects deep; of a union,
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
      ? { [K in FieldName<T>]: Escaped<K> | `${Escaped<K>}.${Nested<FieldNamed<T, K>, Rest>}` }[FieldName<T>]
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
    : Path extends SimpleName<T>
      ? FieldNamed<T, Path>
      : Path extends `${string}\\${string}`
        ? FieldAtNames<T, Names<Path>>
        : Path extends `${infer Head}.${infer Tail}`
          ? Head extends SimpleName<T>
            ? FieldAt<FieldNamed<T, Head>, Tail>
            : never
          : never

/** What of `V` has an order: all but objects, arrays, Maps and Sets. An instance of a class has that of what it is stored as. */
export type Ordered<V> = V extends
  | readonly unknown[]
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | null
  | undefined
  ? never
  : V extends Leaf
    ? V
    : [Extract<V[keyof V], (...args: never) => unknown>] extends [never]
      ? never
      : V

type FieldAtNames<T, Path extends readonly string[]> = Path extends readonly [
  infer Name extends string,
  ...infer Rest extends readonly string[],
]
  ? unknown extends T
    ? unknown
    : T extends Leaf
      ? never
      : Name extends FieldName<T>
        ? FieldAtNames<FieldNamed<T, Name>, Rest>
        : never
  : T

type FieldName<T> = `${keyof T & (string | number)}`

/** Names that stand in a path as they are. */
type SimpleName<T> = Exclude<FieldName<T>, `${string}.${string}` | `${string}\\${string}`>

/** A name as a path has it. */
type Escaped<Name extends string, Done extends string = ''> = Name extends
  | `${string}.${string}`
  | `${string}\\${string}`
  ? Name extends `${infer Character}${infer Rest}`
    ? Escaped<Rest, `${Done}${Character extends '.' | '\\' ? '\\' : ''}${Character}`>
    : never
  : `${Done}${Name}`

/** The names in a path that has a backslash in it. */
type Names<
  Path extends string,
  Done extends readonly string[] = readonly [],
  Name extends string = '',
> = Path extends `\\${infer Character}${infer Rest}`
  ? Names<Rest, Done, `${Name}${Character}`>
  : Path extends `.${infer Rest}`
    ? Names<Rest, readonly [...Done, Name]>
    : Path extends `${infer Character}${infer Rest}`
      ? Names<Rest, Done, `${Name}${Character}`>
      : readonly [...Done, Name]

type FieldNamed<T, Name extends string> = Name extends keyof T
  ? T[Name]
  : Name extends `${infer N extends number & keyof T}`
    ? T[N]
    : never
