import type { KvU64 } from 'valkeyrie'

type Leaf =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Date
  | RegExp
  | URL
  | KvU64
  | NodeJS.TypedArray

/** A value with everything in it read-only. */
export type Immutable<T> = T extends Leaf
  ? T
  : T extends ReadonlyMap<infer K, infer V>
    ? ReadonlyMap<Immutable<K>, Immutable<V>>
    : T extends ReadonlySet<infer Member>
      ? ReadonlySet<Immutable<Member>>
      : T extends object
        ? { readonly [K in keyof T]: Immutable<T[K]> }
        : T
