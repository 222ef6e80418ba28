import type { Leaf } from '../value/leaf.types.ts'

/** How many levels to spell out, so that the paths of a type that contains itself end. */
type Levels = [1, 1, 1, 1]

/**
 * The dotted paths to the fields of `T`, through plain objects and optional fields, four objects deep; for a union, the paths of
 * each member. A backslash makes a dot, or a backslash, part of a name. `string` if the fields are not known (`unknown`, `any`, a
 * record).
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

/** Offers no paths below a field of unknown type, where `FieldPath` would be `string`. */
type Nested<T, Left extends readonly unknown[]> = unknown extends T ? never : FieldPath<T, Left>

/**
 * The type of the field at a dotted path, at any depth, if the objects on the way are present; `never` if there is no such field.
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

/**
 * The part of `V` that has an order: all but objects, arrays, Maps and Sets; nothing if bigints are among other values. An instance
 * of a class orders like its stored form.
 */
export type Ordered<V> = [MixedBigint<V>] extends [never] ? OrderedPart<V> : never

/** The bigint in `V`, if `V` may be something else as well. */
export type MixedBigint<V> = [Exclude<V, bigint | null | undefined>] extends [never]
  ? never
  : Extract<V, bigint>

type OrderedPart<V> = V extends
  | readonly unknown[]
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | null
  | undefined
  ? never
  : V extends Leaf
    ? V
    : InstanceIn<V>

/** The part of `V` that is an instance of a class, as far as a type tells: an object with a method. */
export type InstanceIn<V> = V extends Leaf
  ? never
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

/** Names that need no escaping in a path. */
type SimpleName<T> = Exclude<FieldName<T>, `${string}.${string}` | `${string}\\${string}`>

/** A name, escaped for a path. */
type Escaped<Name extends string, Done extends string = ''> = Name extends
  | `${string}.${string}`
  | `${string}\\${string}`
  ? Name extends `${infer Character}${infer Rest}`
    ? Escaped<Rest, `${Done}${Character extends '.' | '\\' ? '\\' : ''}${Character}`>
    : never
  : `${Done}${Name}`

/** The names in a path that contains a backslash. */
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
