import { type InspectOptions, inspect } from 'node:util'
import { paceCalls } from '../time/give-way.ts'
import { latestTime } from '../time/latest-time.ts'
import type { Backend, RawCheck, RawMessage, RawMutation } from './backend.ts'
import { onResource } from './bad-resource.ts'
import { commitVersionstamp, encodeKvKey, plainKey } from './keys.ts'
import type {
  AtomicCheck,
  KvCommitError,
  KvCommitResult,
  KvEnqueueOptions,
  KvKey,
  KvMutation,
} from './kv.types.ts'
import { KvU64 } from './kv-u64.ts'
import { checkEnqueueOptions, toMessage } from './messages.ts'
import { fromRaw, type RawValue, toRaw } from './raw-value.ts'

/** A mutation as the caller has passed it; `expireIn` in milliseconds. */
interface CalledMutation {
  readonly type: KvMutation['type']
  readonly key: KvKey
  readonly value: RawValue | null
  readonly expireIn: number | undefined
}

interface CalledMessage {
  readonly value: RawMessage['payload']
  readonly options: KvEnqueueOptions
}

/** Checks and mutations that commit together or not at all, like `Deno.AtomicOperation`. Made by `Kv.atomic`. */
export class AtomicOperation {
  readonly #backend: Backend
  readonly #checks: AtomicCheck[] = []
  readonly #mutations: CalledMutation[] = []
  readonly #messages: CalledMessage[] = []

  static {
    paceCalls(AtomicOperation.prototype, ['commit'])
  }

  constructor(backend: Backend) {
    this.#backend = backend
  }

  check(...checks: AtomicCheck[]): this {
    for (const { key, versionstamp } of checks) this.#checks.push({ key, versionstamp: versionstamp ?? null })
    return this
  }

  mutate(...mutations: KvMutation[]): this {
    for (const mutation of mutations) {
      const { type, key } = mutation
      if (type === 'delete') {
        if ((mutation as { value?: unknown }).value)
          throw new TypeError("Invalid mutation 'delete' with value")
        this.delete(key)
      } else if (type === 'set' || type === 'sum' || type === 'min' || type === 'max') {
        if (!Object.hasOwn(mutation, 'value')) throw new TypeError(`Invalid mutation '${type}' without value`)
        const expireIn = type === 'set' ? mutation.expireIn : undefined
        this.#add(type, key, toRaw(mutation.value), typeof expireIn === 'number' ? expireIn : undefined)
      } else throw new TypeError('Invalid mutation type')
    }
    return this
  }

  sum(key: KvKey, n: bigint): this {
    return this.#add('sum', key, toRaw(new KvU64(n)))
  }

  min(key: KvKey, n: bigint): this {
    return this.#add('min', key, toRaw(new KvU64(n)))
  }

  max(key: KvKey, n: bigint): this {
    return this.#add('max', key, toRaw(new KvU64(n)))
  }

  set(key: KvKey, value: unknown, options?: { expireIn?: number }): this {
    return this.#add('set', key, toRaw(value), options?.expireIn)
  }

  delete(key: KvKey): this {
    return this.#add('delete', key, null)
  }

  enqueue(message: unknown, options: KvEnqueueOptions = {}): this {
    checkEnqueueOptions(options)
    this.#messages.push({ value: toMessage(message), options })
    return this
  }

  async commit(): Promise<KvCommitResult | KvCommitError> {
    const now = Date.now()
    const versionstamp = await onResource(async () =>
      this.#backend.write({
        checks: this.#checks.map(toCheck),
        mutations: this.#mutations.map((mutation) => toMutation(mutation, now)),
        messages: this.#messages.map(({ value, options }) => ({
          payload: value,
          due: now + (options.delay ?? 0),
          keysIfUndelivered: (options.keysIfUndelivered ?? []).map(plainKey),
          backoffSchedule: options.backoffSchedule,
        })),
      }),
    )
    return versionstamp === null ? { ok: false } : { ok: true, versionstamp }
  }

  // biome-ignore lint/suspicious/noThenProperty: Deno has it, so that `await` without `commit()` is an error.
  then(): never {
    throw new TypeError("'Deno.AtomicOperation' is not a promise: did you forget to call 'commit()'")
  }

  [inspect.custom](_depth: number, options: InspectOptions): string {
    const shown = (value: unknown) => inspect(value, options)
    const calls = [
      ...this.#checks.map(
        (check) => `check({ key: ${shown(check.key)}, versionstamp: ${shown(check.versionstamp)} })`,
      ),
      ...this.#mutations.map(({ type, key, value, expireIn }) => {
        const more = expireIn === undefined ? '' : `, { expireIn: ${expireIn} }`
        return `${type}(${shown(key)}${value === null ? '' : `, ${shown(fromRaw(value))}`}${more})`
      }),
      ...this.#messages.map(({ value, options }) => {
        const given = Object.keys(options).length === 0 ? '' : `, ${shown(options)}`
        return `enqueue(${shown(fromRaw(value))}${given})`
      }),
    ]
    if (calls.length === 0) return 'AtomicOperation (empty)'
    return ['AtomicOperation', ...calls.map((call) => `  ${call}`)].join('\n')
  }

  #add(type: KvMutation['type'], key: KvKey, value: RawValue | null, expireIn?: number): this {
    if (expireIn !== undefined && !(Number.isInteger(expireIn) && expireIn >= 0))
      throw new TypeError(`expireIn must be a non-negative integer: received ${String(expireIn)}`)
    this.#mutations.push({ type, key, value, expireIn })
    return this
  }
}

function toCheck({ key, versionstamp }: AtomicCheck): RawCheck {
  return { bytes: encodeKvKey(key), versionstamp }
}

function toMutation({ type, key: called, value, expireIn }: CalledMutation, now: number): RawMutation {
  const stamped = type === 'set' && Array.isArray(called) && called.at(-1) === commitVersionstamp
  const key = plainKey(stamped ? called.slice(0, -1) : called)
  const encoded = { key, bytes: encodeKvKey(key) }
  if (type === 'delete') return { ...encoded, type }
  if (type !== 'set') return { ...encoded, type, value: value! }
  if (expireIn !== undefined && now + expireIn > latestTime)
    throw new TypeError(`Invalid mutation: expireIn is too large: ${BigInt(expireIn)}`)
  const expireAt = expireIn === undefined ? null : now + expireIn
  return { ...encoded, type, value: value!, expireAt, stamped }
}
