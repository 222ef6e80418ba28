import type { FieldAt, InstanceIn } from '../../schema/field-path.types.ts'

/** The value of a field in a group: `null` if it, or an object on its path, is missing. */
export type GroupValue<T, Path extends string> = unknown extends T
  ? unknown
  : T extends null | undefined
    ? null
    : Path extends keyof T
      ? OrNull<T[Path]> | (string extends keyof T ? null : never)
      : Path extends `${string}\\${string}`
        ? OrNull<FieldAt<T, Path>> | null
        : Path extends `${infer Head}.${infer Tail}`
          ? Head extends keyof T
            ? GroupValue<T[Head], Tail>
            : null
          : null

type OrNull<V> = undefined extends V ? InGroup<Exclude<V, undefined>> | null : InGroup<V>

/** A Date and a bigint are themselves in a group; all else is as it is stored. */
export type InGroup<V> = unknown extends V ? V : V extends Date | bigint ? V : InJson<V>

/**
 * A value as the JSON that is stored: a Date, a bigint, a URL and a RegExp are texts, a Map or a Set is the array of its entries, and what
 * stands for an instance of a class, only its value type knows.
 */
type InJson<V> = unknown extends V
  ? V
  : V extends Date | bigint | URL | RegExp
    ? string
    : V extends ReadonlyMap<unknown, unknown>
      ? [unknown, unknown][]
      : V extends ReadonlySet<unknown>
        ? unknown[]
        : V extends string | number | boolean | null | undefined
          ? V
          : V extends readonly unknown[]
            ? { [I in keyof V]: InJson<V[I]> }
            : V extends Error | ArrayBufferView
              ? unknown
              : [InstanceIn<V>] extends [never]
                ? { [K in keyof V]: InJson<V[K]> }
                : unknown
