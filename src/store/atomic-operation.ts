import type { ArithmeticMutation, KeyCheck, Mutation } from '../commit/write.ts'
import type { Conflict } from '../errors.ts'
import { decodeKey } from '../key/codec.ts'
import { formatVersionstamp, parseVersionstamp } from '../key/versionstamp.ts'
import type { Key } from '../key.types.ts'
import type { KvU64 } from '../value/kv-u64.ts'
import type { AtomicCheck, AtomicMutation, AtomicOperation, AtomicResult } from './atomic-operation.types.ts'
import { checkExpireOptions, type ExpireOptions } from './expiry.ts'
import type { RowStore } from './row-store.ts'

type Arithmetic = ArithmeticMutation['type']

/** Collects checks and mutations as they are called; `commit` rejects with the first thing that is wrong with them. */
export class StoreAtomicOperation implements AtomicOperation<readonly []> {
  readonly #store: RowStore
  readonly #checks: KeyCheck[] = []
  readonly #mutations: (Mutation | Promise<Mutation>)[] = []
  #asynchronous = false
  #committed = false
  #error: unknown

  constructor(store: RowStore) {
    this.#store = store
  }

  check(...checks: readonly AtomicCheck[]): this {
    return this.#collect(() => {
      for (const check of checks) {
        if (typeof check !== 'object' || check === null)
          throw new TypeError("check takes an entry, or { key, versionstamp }: null for 'no value'")
        const { key, versionstamp } = check
        const version = versionstamp === null ? null : parseVersionstamp(versionstamp)
        this.#assertRoom()
        this.#checks.push({ key: this.#store.encodeKey(key), version })
      }
    })
  }

  set(key: Key, value: unknown, options?: ExpireOptions): this {
    return this.#collect(() => {
      checkExpireOptions(options, 'set')
      this.#add(this.#store.prepareSet(key, value, options?.expireIn))
    })
  }

  delete(key: Key): this {
    return this.#collect(() => this.#add({ type: 'delete', key: this.#store.encodeKey(key) }))
  }

  sum(key: Key, n: bigint | KvU64, options?: ExpireOptions): this {
    return this.#addArithmetic('sum', key, n, options)
  }

  max(key: Key, n: bigint | KvU64, options?: ExpireOptions): this {
    return this.#addArithmetic('max', key, n, options)
  }

  min(key: Key, n: bigint | KvU64, options?: ExpireOptions): this {
    return this.#addArithmetic('min', key, n, options)
  }

  mutate(...mutations: readonly AtomicMutation[]): this {
    for (const mutation of mutations) {
      this.#collect(() => {
        if (typeof mutation !== 'object' || mutation === null)
          throw new TypeError("mutate takes mutations, as { type: 'set', key: ['a'], value: 1 }")
        this.#mutate(mutation)
      })
    }
    return this
  }

  async commit(): Promise<AtomicResult> {
    this.#store.assertOpen()
    if (this.#error !== undefined) throw this.#error
    if (this.#committed) throw new TypeError('An atomic operation commits once: call atomic() for another')
    this.#committed = true
    const mutations = this.#asynchronous
      ? await Promise.all(this.#mutations)
      : (this.#mutations as readonly Mutation[])
    const outcome = await this.#store.commit({ checks: this.#checks, mutations })
    if (outcome.type === 'committed') return { ok: true, versionstamp: formatVersionstamp(outcome.version) }
    return { ok: false, conflicts: outcome.conflicts.map(toConflict) }
  }

  #mutate(mutation: AtomicMutation): void {
    const { type, key, expireIn } = mutation
    if (type === 'set') this.set(key, mutation.value, { expireIn })
    else if (type === 'delete') this.delete(key)
    else if (type === 'sum' || type === 'max' || type === 'min') this[type](key, mutation.value, { expireIn })
    else
      throw new TypeError(`There is no mutation '${String(type)}': there are set, delete, sum, max and min`)
  }

  #addArithmetic(type: Arithmetic, key: Key, n: bigint | KvU64, options: ExpireOptions | undefined): this {
    return this.#collect(() => {
      checkExpireOptions(options, type)
      this.#add(this.#store.prepareArithmetic(type, key, n, options?.expireIn))
    })
  }

  #collect(step: () => void): this {
    if (this.#committed) {
      throw new TypeError('An atomic operation takes nothing after commit: call atomic() for another')
    }
    if (this.#error !== undefined) return this
    try {
      step()
    } catch (error) {
      this.#error = error
    }
    return this
  }

  #add(mutation: Mutation | Promise<Mutation>): void {
    this.#assertRoom()
    if (mutation instanceof Promise) {
      // It is awaited by commit; until then a rejection is no unhandled one.
      mutation.catch(() => {})
      this.#asynchronous = true
    }
    this.#mutations.push(mutation)
  }

  #assertRoom(): void {
    const most = this.#store.limits.commitOperations
    if (this.#checks.length + this.#mutations.length < most) return
    throw new RangeError(
      `An atomic operation has ${most} checks and mutations at most: split it, or raise limits.commitOperations`,
    )
  }
}

/** A failed check as its caller knows it: with the key and versionstamps instead of their encoded forms. */
export function toConflict(conflict: {
  readonly key: Uint8Array
  readonly expected: number | null
  readonly actual: number | null
}): Conflict {
  const stamp = (version: number | null) => (version === null ? null : formatVersionstamp(version))
  return { key: decodeKey(conflict.key), expected: stamp(conflict.expected), actual: stamp(conflict.actual) }
}
