import type { CallOptions } from '../arguments/call-options.ts'
import type { Conflict } from '../contract/errors.ts'
import type { Key } from '../contract/key.types.ts'
import type { CounterCheck, Definitions, InputOf } from '../schema/registry.types.ts'
import type { KvU64 } from '../value/kv-u64.ts'
import type { ExpireOptions, SetOptions } from './expiry.ts'
import type { EnqueueOptions } from './queued-message.ts'

/**
 * Holds if the key's value still has this versionstamp; with null, if the key has no value. Pass an entry that you have read as
 * it is.
 */
export interface AtomicCheck {
  readonly key: Key
  readonly versionstamp: string | null
}

/** A mutation as data, for `mutate`: `type` names the method of AtomicOperation. Any other property is a TypeError. */
export type AtomicMutation =
  | {
      readonly type: 'set'
      readonly key: Key
      readonly value: unknown
      readonly expireIn?: number | undefined
      readonly keepExpiry?: boolean | undefined
    }
  | { readonly type: 'delete'; readonly key: Key }
  | {
      readonly type: 'sum' | 'max' | 'min'
      readonly key: Key
      readonly value: bigint | KvU64
      readonly expireIn?: number | undefined
    }

/** Either a commit, or failed checks, listed in `conflicts`, and nothing written. */
export type AtomicResult = CommitResult | { readonly ok: false; readonly conflicts: readonly Conflict[] }

/**
 * Checks and mutations that commit together or not at all, once. Its methods add to it and return it. They throw a TypeError or
 * RangeError if an argument is not valid, or after `commit`. A wrong value makes `commit` reject, because its schema may be
 * asynchronous. If a call has failed, the operation commits nothing.
 *
 * ```ts
 * const stock = await db.get(['stock', 'apple'])
 * const left = Number(stock.value) - 1
 * const sell = () => db.atomic().check(stock).set(['stock', 'apple'], left).sum(['sold', 'apple'], 1n).commit()
 *
 * await sell() // => { ok: true, versionstamp: '…' }
 * await sell() // => { ok: false, conflicts: [{ key: ['stock', 'apple'], expected: '…', actual: '…' }] }
 *
 * db.atomic().set(['stock', '*' as string], 0) // => throws TypeError
 * ```
 *
 * `console.log` shows its checks and mutations.
 */
export interface AtomicOperation<R extends Definitions> {
  /**
   * Adds checks, all of which must hold when it commits.
   *
   * ```ts
   * const free = { key: ['names', 'alice'], versionstamp: null }
   * const take = () => db.atomic().check(free).set(free.key, 'taken').commit()
   * await take() // => { ok: true, versionstamp: '…' }
   * await take() // => { ok: false, conflicts: [{ key: ['names', 'alice'], expected: null, actual: '…' }] }
   * ```
   */
  check(...checks: readonly AtomicCheck[]): this
  /**
   * Writes a value, as `Database.set` does.
   *
   * ```ts
   * const leave = db.atomic().set(['lamp'], 'off').set(['door'], 'shut', { expireIn: 60_000 })
   * await leave.commit() // => { ok: true, versionstamp: '…' }
   *
   * const wrong = db.atomic().set(['lamp'], 'on').set(['accounts', 'eve'], { balance: -1 })
   * await wrong.commit() // => throws ValidationError
   * ```
   *
   * With `keepExpiry`, the new value expires when the old one would have:
   *
   * ```ts
   * await db.set(['session', 's1'], { user: 'alice', visits: 1 }, { expireIn: 60_000 })
   * const session = await db.get(['session', 's1'])
   * const visit = db.atomic().check(session).set(session.key, { user: 'alice', visits: 2 }, { keepExpiry: true })
   * await visit.commit() // => { ok: true, versionstamp: '…' }
   * const after = await db.get(['session', 's1'])
   * after.expiresAt === session.expiresAt // => true
   * ```
   */
  set<const K extends Key>(key: K, value: InputOf<R, K>, options?: SetOptions): this
  /**
   * Removes the value under a key, if there is one.
   *
   * ```ts
   * await db.atomic().delete(['stock', 'apple']).delete(['nothing']).commit() // => { ok: true, versionstamp: '…' }
   * ```
   */
  delete(key: Key): this
  /**
   * Adds to the KvU64 under the key, modulo 2^64; a negative `n` subtracts. A missing value counts as 0. `sum`, `max` and `min`
   * need no check, because they work on the value stored at the commit, and keep the key's expiry unless you pass `expireIn`.
   *
   * ```ts
   * await db.atomic().sum(['visits'], 2n).commit()
   * const visits = await db.get(['visits'])
   * visits.value // => [KvU64: 42n]
   * await db.atomic().sum(['visits'], -43n).commit() // => throws RangeError
   * ```
   *
   * `commit` rejects with RangeError if the result is below zero, and with TypeError if another kind of value is stored. An `n`
   * that is neither a bigint nor a KvU64 throws a TypeError, one with more than 64 bits a RangeError.
   */
  sum<const K extends Key>(key: K & CounterCheck<R, K>, n: bigint | KvU64, options?: ExpireOptions): this
  /**
   * Sets the KvU64 under the key to the larger of itself and `n`; a missing one to `n`. Fails as `sum` does.
   *
   * ```ts
   * await db.atomic().max(['visits'], 100n).commit()
   * const visits = await db.get(['visits'])
   * visits.value // => [KvU64: 100n]
   * ```
   */
  max<const K extends Key>(key: K & CounterCheck<R, K>, n: bigint | KvU64, options?: ExpireOptions): this
  /**
   * Sets the KvU64 under the key to the smaller of itself and `n`; a missing one to `n`. Fails as `sum` does.
   *
   * ```ts
   * await db.atomic().min(['visits'], 7n).commit()
   * const visits = await db.get(['visits'])
   * visits.value // => [KvU64: 7n]
   * ```
   */
  min<const K extends Key>(key: K & CounterCheck<R, K>, n: bigint | KvU64, options?: ExpireOptions): this
  /**
   * Adds mutations as data. Throws a TypeError if a type does not exist, or a property is misspelled or unknown.
   *
   * ```ts
   * const mutations: AtomicMutation[] = [
   *   { type: 'set', key: ['lamp'], value: 'on' },
   *   { type: 'sum', key: ['visits'], value: 1n },
   *   { type: 'delete', key: ['stock', 'apple'] },
   * ]
   * await db.atomic().mutate(...mutations).commit() // => { ok: true, versionstamp: '…' }
   * ```
   */
  mutate(...mutations: readonly AtomicMutation[]): this
  /**
   * Puts a message into the queue of the database, as `Database.enqueue` does. It is delivered only if this commits.
   *
   * ```ts
   * const order = { item: 'apple', pieces: 3 }
   * await db.atomic().set(['orders', 7], order).enqueue({ send: 'receipt', order: 7 }).commit() // => { ok: true, versionstamp: '…' }
   * ```
   */
  enqueue(value: unknown, options?: EnqueueOptions): this
  /**
   * Commits all mutations if all checks hold, otherwise nothing. A failed check is a result. Any other failure rejects, and
   * leaves nothing behind: the errors of `Database.set` for its values, an argument that one of its calls has refused, and
   * RangeError for more than `limits.commitOperations` checks and mutations.
   *
   * ```ts
   * const bob = await db.get(['accounts', 'bob'])
   * await db.atomic().check(bob).delete(bob.key).commit() // => { ok: true, versionstamp: '…' }
   * ```
   */
  commit(options?: CallOptions): Promise<AtomicResult>
}

/**
 * The result of a committed write. `versionstamp` is that of the commit: 20 lower-case hex digits, which grow with each commit of
 * the database, in whichever process. Inside a unit of work the commit's is not known yet, and you get another one.
 */
export interface CommitResult {
  readonly ok: true
  readonly versionstamp: string
}
