import type { Conflict } from '../errors.ts'
import type { Key } from '../key.types.ts'
import type { Definitions, InputOf } from '../schema/registry.types.ts'
import type { KvU64 } from '../value/kv-u64.ts'
import type { CommitResult } from './commit-result.ts'
import type { ExpireOptions } from './expiry.ts'

/** Holds when the key's value still has this versionstamp; `null`: when the key has no value. An entry that was read serves as it is. */
export interface AtomicCheck {
  readonly key: Key
  readonly versionstamp: string | null
}

/** A mutation as data, for `mutate`. */
export type AtomicMutation =
  | {
      readonly type: 'set'
      readonly key: Key
      readonly value: unknown
      readonly expireIn?: number | undefined
    }
  | { readonly type: 'delete'; readonly key: Key; readonly expireIn?: undefined }
  | {
      readonly type: 'sum' | 'max' | 'min'
      readonly key: Key
      readonly value: bigint | KvU64
      readonly expireIn?: number | undefined
    }

/** A commit either happened, or checks did not hold and nothing was written: `conflicts` tells which. */
export type AtomicResult = CommitResult | { readonly ok: false; readonly conflicts: readonly Conflict[] }

/**
 * Checks and mutations that commit together or not at all. Its methods add to it and return it; an argument that is not
 * valid, or a value that its schema refuses, makes `commit` reject before anything is written.
 *
 * ```ts
 * const stock = await db.get(['stock', 'apple'])
 * await db.atomic()
 *   .check(stock)
 *   .set(['stock', 'apple'], stock.value - 1)
 *   .sum(['sold', 'apple'], 1n)
 *   .commit() // { ok: true, versionstamp: '…' }, or { ok: false, conflicts: [{ key, expected, actual }] }
 * ```
 */
export interface AtomicOperation<R extends Definitions> {
  /** All checks must hold at the commit. */
  check(...checks: readonly AtomicCheck[]): this
  set<const K extends Key>(key: K, value: InputOf<R, K>, options?: ExpireOptions): this
  delete(key: Key): this
  /**
   * Adds to the KvU64 under the key, modulo 2^64. A negative `n` subtracts; below zero, `commit` rejects with RangeError. A
   * missing value counts as 0. The key keeps its expiry unless `expireIn` is given.
   */
  sum(key: Key, n: bigint | KvU64, options?: ExpireOptions): this
  /** Sets the KvU64 under the key to the larger of itself and `n`; a missing one to `n`. */
  max(key: Key, n: bigint | KvU64, options?: ExpireOptions): this
  /** Sets the KvU64 under the key to the smaller of itself and `n`; a missing one to `n`. */
  min(key: Key, n: bigint | KvU64, options?: ExpireOptions): this
  /** Adds mutations that are given as data. */
  mutate(...mutations: readonly AtomicMutation[]): this
  /** Commits. Whatever fails for another reason than a check rejects, and leaves nothing behind. */
  commit(): Promise<AtomicResult>
}
