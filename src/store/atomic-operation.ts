import { type InspectOptions, inspect } from 'node:util'
import type { CallOptions } from '../arguments/call-options.ts'
import { checkNames } from '../arguments/option-names.ts'
import type { ArithmeticMutation, KeyCheck, Mutation } from '../commit/write.ts'
import type { Key } from '../contract/key.types.ts'
import { decodeKey } from '../key/codec.ts'
import { formatVersionstamp, parseVersionstamp } from '../key/versionstamp.ts'
import { traceCalls } from '../trace/trace-calls.ts'
import { decodeValue } from '../value/codec.ts'
import type { KvU64 } from '../value/kv-u64.ts'
import type { ValueFormat } from '../value/value-format.ts'
import { storeOfWrite } from './abortable-store.ts'
import type { AtomicCheck, AtomicMutation, AtomicOperation, AtomicResult } from './atomic-operation.types.ts'
import { toConflict } from './conflict.ts'
import { checkExpireOptions, checkSetOptions, type ExpireOptions, type SetOptions } from './expiry.ts'
import { type EnqueueOptions, prepareMessage, queuePrefix } from './queued-message.ts'
import type { RowStore } from './row-store.ts'

type Arithmetic = ArithmeticMutation['type']

/** A mutation whose value an asynchronous schema is still checking, or that cannot be stored. */
interface Pending {
  readonly type: Mutation['type']
  readonly key: Key
  readonly mutation: Promise<Mutation>
}

/**
 * Collects checks and mutations. An invalid argument throws at once; an invalid value makes `commit` reject, because its schema may
 * be asynchronous. After either, nothing of the operation can be committed.
 */
export class StoreAtomicOperation implements AtomicOperation<readonly []> {
  readonly #store: RowStore
  readonly #checks: KeyCheck[] = []
  readonly #mutations: (Mutation | Pending)[] = []
  #pending = false
  #committed = false
  #error: unknown

  static {
    const subjectOf = (operation: StoreAtomicOperation) => ({
      database: operation.#store.path,
      repository: null,
      pattern: null,
    })
    traceCalls(StoreAtomicOperation.prototype, ['commit'], subjectOf, 'anything')
  }

  constructor(store: RowStore) {
    this.#store = store
  }

  /** The store that it commits to. */
  get store(): RowStore {
    return this.#store
  }

  check(...checks: readonly AtomicCheck[]): this {
    return this.#collect(() => {
      for (const check of checks) {
        if (typeof check !== 'object' || check === null)
          throw new TypeError("check takes an entry, or { key, versionstamp }: null for 'no value'")
        const { key, versionstamp } = check
        const version = versionstamp === null ? null : parseVersionstamp(versionstamp)
        const encodedKey = this.#store.encodeKey(key)
        if (this.#hasRoom()) this.#checks.push({ key: encodedKey, version })
      }
    })
  }

  set(key: Key, value: unknown, options?: SetOptions): this {
    return this.#collect(() => {
      checkSetOptions(options)
      this.#add('set', key, this.#store.prepareSet(key, value, options))
    })
  }

  delete(key: Key): this {
    return this.#collect(() => this.#add('delete', key, { type: 'delete', key: this.#store.encodeKey(key) }))
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
    for (const mutation of mutations) this.#collect(() => this.#mutate(mutation))
    return this
  }

  enqueue(value: unknown, options?: EnqueueOptions): this {
    return this.#collect(() => {
      const prepared = prepareMessage(this.#store, value, options)
      this.#add('set', queuePrefix, prepared)
    })
  }

  async commit(options?: CallOptions): Promise<AtomicResult> {
    const store = storeOfWrite(this.#store, options, 'commit')
    if (this.#error !== undefined) throw this.#error
    if (this.#committed)
      throw new TypeError('An atomic operation commits only once: call atomic() for another one')
    this.#committed = true
    const mutations = this.#pending
      ? await Promise.all(this.#mutations.map((each) => ('mutation' in each ? each.mutation : each)))
      : (this.#mutations as readonly Mutation[])
    const outcome = await store.commit({ checks: this.#checks, mutations })
    if (outcome.type === 'committed') return { ok: true, versionstamp: formatVersionstamp(outcome.version) }
    return { ok: false, conflicts: outcome.conflicts.map(toConflict) }
  }

  [inspect.custom](_depth: number, options: InspectOptions): string {
    const checks = this.#checks.map(({ key, version }) => ({
      key: decodeKey(key),
      versionstamp: version === null ? null : formatVersionstamp(version),
    }))
    // The keys and values are two levels deeper than the operation itself.
    const depth = (options.depth ?? Number.POSITIVE_INFINITY) + 2
    const shown = inspect(
      { checks, mutations: this.#mutations.map((each) => toShown(each, this.#store.format)) },
      { ...options, depth },
    )
    return `AtomicOperation ${shown}`
  }

  #mutate(mutation: AtomicMutation): void {
    checkMutation(mutation)
    const { type, key } = mutation
    if (type === 'delete') this.delete(key)
    else if (type === 'set')
      this.set(key, mutation.value, { expireIn: mutation.expireIn, keepExpiry: mutation.keepExpiry })
    else this[type](key, mutation.value, { expireIn: mutation.expireIn })
  }

  #addArithmetic(type: Arithmetic, key: Key, n: bigint | KvU64, options: ExpireOptions | undefined): this {
    return this.#collect(() => {
      checkExpireOptions(options, type)
      this.#add(type, key, this.#store.prepareArithmetic(type, key, n, options?.expireIn))
    })
  }

  #collect(step: () => void): this {
    if (this.#committed) {
      throw new TypeError('An atomic operation takes nothing after its commit: call atomic() for another one')
    }
    if (this.#error !== undefined) return this
    try {
      step()
    } catch (error) {
      this.#error = error
      throw error
    }
    return this
  }

  #add(type: Mutation['type'], key: Key, mutation: Mutation | Promise<Mutation>): void {
    if (!this.#hasRoom()) return
    if (!(mutation instanceof Promise)) {
      this.#mutations.push(mutation)
      return
    }
    // `commit` awaits it; until then, a rejection must not count as unhandled.
    mutation.catch(() => {})
    this.#pending = true
    this.#mutations.push({ type, key: key.slice(), mutation })
  }

  /** `commit` reports an excess, as it does for a value that is too large. */
  #hasRoom(): boolean {
    const most = this.#store.limits.commitOperations
    if (this.#checks.length + this.#mutations.length < most) return true
    this.#error = new RangeError(
      `An atomic operation has at most ${most} checks and mutations: split it, or raise limits.commitOperations`,
    )
    return false
  }
}

const mutationNames = {
  set: ['type', 'key', 'value', 'expireIn', 'keepExpiry'],
  delete: ['type', 'key'],
  sum: ['type', 'key', 'value', 'expireIn'],
  max: ['type', 'key', 'value', 'expireIn'],
  min: ['type', 'key', 'value', 'expireIn'],
} as const satisfies Record<AtomicMutation['type'], readonly string[]>

/** Throws a TypeError for an unknown type of mutation, or for a property that its type does not have. */
function checkMutation(mutation: AtomicMutation): void {
  if (typeof mutation !== 'object' || mutation === null)
    throw new TypeError("mutate takes mutations, such as { type: 'set', key: ['a'], value: 1 }")
  const { type } = mutation
  if (!Object.hasOwn(mutationNames, type))
    throw new TypeError(`There is no mutation '${String(type)}': there are set, delete, sum, max and min`)
  checkNames(mutation, mutationNames[type], `a mutation of type '${type}'`, 'property')
  if (type !== 'delete' && !('value' in mutation))
    throw new TypeError(`A mutation of type '${type}' needs a value: { type: '${type}', key, value: … }`)
}

/** A mutation for printing. */
function toShown(each: Mutation | Pending, format: ValueFormat): object {
  if ('mutation' in each) return { type: each.type, key: each.key, value: each.mutation }
  const { type } = each
  const key = decodeKey(each.key)
  if (type === 'set') {
    const { value, encoding, types } = each.stored
    return { type, key, value: decodeValue(value, encoding, types, format) }
  }
  return 'operand' in each ? { type, key, value: each.operand } : { type, key }
}
