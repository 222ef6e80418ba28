import { NotU64Error } from '../commit/mutated-row.ts'
import { stampPlace } from '../commit/stamped-key.ts'
import type { Mutation, SetMutation } from '../commit/write.ts'
import type { Key } from '../contract/key.types.ts'
import type { KeyedRow } from '../driver/driver.ts'
import { encodePrefix } from '../key/codec.ts'
import { compareBytes } from '../key/compare.ts'
import { isEmptyRange, type KeyRange, prefixRange } from '../key/range.ts'
import { formatVersionstamp, isVersionstamp, parseVersionstamp } from '../key/versionstamp.ts'
import type { Entry } from '../schema/registry.types.ts'
import { prepareMessage, queuePrefix } from '../store/queued-message.ts'
import type { RowStore } from '../store/row-store.ts'
import type { Store } from '../store/store.ts'
import { latestTime } from '../time/latest-time.ts'
import { KvU64 } from '../value/kv-u64.ts'
import { watchKeys } from '../watch/watch-keys.ts'
import { checkWrittenKey } from './keys.ts'
import { checkMost, limits } from './limits.ts'
import { fromRaw, type RawValue, sizeOf, storable } from './raw-value.ts'

export interface ReadRange extends KeyRange {
  readonly limit: number
  readonly reverse: boolean
}

/** A key with its bytes. */
export interface EncodedKey {
  readonly key: Key
  readonly bytes: Uint8Array
}

export interface RawCheck {
  readonly bytes: Uint8Array
  readonly versionstamp: string | null
}

/** `expireAt`: milliseconds since the epoch; null: never. */
export type RawMutation =
  | (EncodedKey & {
      readonly type: 'set'
      readonly value: RawValue
      readonly expireAt: number | null
      /** Whether the versionstamp of the commit is appended to the key. */
      readonly stamped: boolean
    })
  | (EncodedKey & { readonly type: 'delete' })
  | (EncodedKey & { readonly type: 'sum' | 'min' | 'max'; readonly value: RawValue })

export interface RawMessage {
  readonly payload: Extract<RawValue, { kind: 'v8' }>
  /** When it is due, in milliseconds since the epoch. */
  readonly due: number
  readonly keysIfUndelivered: readonly Key[]
  readonly backoffSchedule: readonly number[] | undefined
}

export interface RawWrite {
  readonly checks: readonly RawCheck[]
  readonly mutations: readonly RawMutation[]
  readonly messages: readonly RawMessage[]
}

/** Messages of the queue are not visible as keys. */
const queue = prefixRange(encodePrefix(queuePrefix))
/** No commit has this version. */
const noVersion = Number.MAX_SAFE_INTEGER

/** A database as Deno KV sees it below its API: ranges of keys, and commits of raw values. */
export class Backend {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async get({ key, bytes }: EncodedKey): Promise<Entry | null> {
    this.#store.assertOpen()
    const row = await this.#store.read({ type: 'get', key: bytes })
    return row && this.#store.entry(row, key)
  }

  async getMany(keys: readonly EncodedKey[]): Promise<(Entry | null)[]> {
    this.#store.assertOpen()
    const rows = await this.#store.read({ type: 'getMany', keys: keys.map(({ bytes }) => bytes) })
    return Promise.all(rows.map((row, i) => row && this.#store.entry(row, keys[i]!.key)))
  }

  /** The entries of each range, from one state. */
  async read(ranges: readonly ReadRange[]): Promise<Entry[][]> {
    this.#store.assertOpen()
    checkMost(ranges.length, limits.ranges, 'Too many ranges')
    checkMost(
      ranges.reduce((sum, { limit }) => sum + limit, 0),
      limits.entries,
      'Too many entries',
    )
    const parts = ranges.map(withoutQueue)
    if (parts.length === 1 && parts[0]!.length === 1) return [await entries(this.#store, parts[0]!)]
    return this.#store.ofOneState(async (view) => {
      const found: Entry[][] = []
      for (const part of parts) found.push(await entries(view, part))
      return found
    })
  }

  /** The versionstamp of the commit; null if a check does not hold. */
  async write(write: RawWrite): Promise<string | null> {
    this.#store.assertOpen()
    checkWrite(write)
    const checks = write.checks.map(({ bytes, versionstamp }) => ({
      key: bytes,
      version: versionstamp === null ? null : versionOf(versionstamp),
    }))
    const mutations = await Promise.all([
      ...write.mutations.map((mutation) => this.#mutation(mutation)),
      ...write.messages.map((message) => this.#message(message)),
    ])
    const stamped = write.mutations.some((mutation) => mutation.type === 'set' && mutation.stamped)
    try {
      const outcome = await this.#store.commit({ checks, mutations, ...(stamped && { stamped }) })
      return outcome.type === 'conflict' ? null : formatVersionstamp(outcome.version)
    } catch (error) {
      if (!(error instanceof NotU64Error)) throw error
      throw new TypeError(
        `Failed to perform '${error.mutation}' mutation on a non-U64 value in the database`,
        { cause: error },
      )
    }
  }

  /** A stream of the entries of these keys, each time from one state: now, then after each change of one of them. */
  watch(keys: readonly Key[], signal?: AbortSignal): ReadableStream<(Entry | null)[]> {
    this.#store.assertOpen()
    checkMost(keys.length, limits.watchedKeys, 'Too many keys')
    return watchKeys(
      this.#store,
      keys,
      (rows) => Promise.all(rows.map((row, i) => row && this.#store.entry(row, keys[i]!))),
      { signal },
    )
  }

  async #mutation(mutation: RawMutation): Promise<Mutation> {
    const { type, key } = mutation
    if (type === 'delete') return { type, key: mutation.bytes }
    if (type !== 'set') {
      if (mutation.value.kind !== 'u64') throw new TypeError(notU64(type, mutation.value))
      return this.#store.prepareArithmetic(type, key, new KvU64(mutation.value.value), undefined)
    }
    const { value, expireAt, stamped } = mutation
    const under = stamped ? [...key, stampPlace] : key
    const set = await this.#prepared(value, (stored) => this.#store.prepareSet(under, stored))
    const expires = expireAt !== null && expireAt <= latestTime
    // The time is by the clock of this process, and a server has its own.
    const ahead = this.#store.now() - Date.now()
    return { ...set, ...(expires && { expiresAt: Math.ceil(expireAt + ahead) }), ...(stamped && { stamped }) }
  }

  #message({ payload, due, keysIfUndelivered, backoffSchedule }: RawMessage): Promise<Mutation> {
    const delay = Math.max(0, due - Date.now())
    const options = { delay, keysIfUndelivered, ...(backoffSchedule && { backoffSchedule }) }
    return this.#prepared(payload, (stored) => prepareMessage(this.#store, stored, options))
  }

  /** The result of `prepare` for a value, or, if that fails, for its serialization. */
  async #prepared(
    raw: RawValue,
    prepare: (stored: unknown) => SetMutation | Promise<SetMutation>,
  ): Promise<SetMutation> {
    const [value, ...serialized] = storable(raw)
    try {
      return await prepare(value)
    } catch (error) {
      if (!(error instanceof TypeError) || serialized.length === 0) throw error
      return prepare(serialized[0])
    }
  }
}

async function entries(store: RowStore, parts: readonly ReadRange[]): Promise<Entry[]> {
  const rows: KeyedRow[] = []
  for (const { start, end, limit, reverse } of parts) {
    const range = { start, end }
    const left = limit - rows.length
    if (left === 0 || isEmptyRange(range)) continue
    const scan = { range, collection: null, reverse, limit: left }
    rows.push(...(await store.read({ type: 'scan', scan })))
  }
  return Promise.all(rows.map((row) => store.entry(row, row.key)))
}

/** The parts of a range without the messages of the queue, in reading order. */
function withoutQueue(range: ReadRange): ReadRange[] {
  const apart = compareBytes(range.end, queue.start) <= 0 || compareBytes(queue.end, range.start) <= 0
  if (apart) return [range]
  const parts = [
    { ...range, end: queue.start },
    { ...range, start: queue.end },
  ].filter((part) => !isEmptyRange(part))
  return range.reverse ? parts.reverse() : parts
}

/** Throws a TypeError for a write that Deno KV would refuse. */
function checkWrite({ checks, mutations, messages }: RawWrite): void {
  checkMost(checks.length, limits.checks, 'Too many checks')
  checkMost(mutations.length + messages.length, limits.mutations, 'Too many mutations')
  let all = 0
  let keys = 0
  for (const { bytes } of [...checks, ...mutations]) {
    checkWrittenKey(bytes)
    all += bytes.length
  }
  for (const mutation of mutations) {
    if (mutation.type === 'delete') continue
    const size = sizeOf(mutation.value)
    checkMost(size, limits.valueBytes, 'Value too large', ' bytes')
    all += mutation.bytes.length + size
    keys += mutation.bytes.length
  }
  for (const { payload, backoffSchedule = [], keysIfUndelivered } of messages) {
    checkMost(keysIfUndelivered.length, limits.keysIfUndelivered, 'Too many keysIfUndelivered')
    checkMost(payload.bytes.length, limits.valueBytes, 'enqueue payload too large', ' bytes')
    all += payload.bytes.length + 4 * backoffSchedule.length
  }
  checkMost(all, limits.writtenBytes, 'Total mutation size too large', ' bytes')
  checkMost(keys, limits.writtenKeysBytes, 'Total key size too large', ' bytes')
}

/** What Deno KV says of an operand that is no KvU64. */
function notU64(type: 'sum' | 'min' | 'max', operand: RawValue): string {
  if (type === 'sum' && typeof fromRaw(operand) === 'number') return 'Cannot sum KvU64 with Number'
  return `Failed to perform '${type}' mutation on a non-U64 operand`
}

/** A versionstamp of another database stands for a version that no key has. */
function versionOf(versionstamp: string): number {
  if (isVersionstamp(versionstamp)) return parseVersionstamp(versionstamp)
  if (typeof versionstamp === 'string' && /^[0-9a-f]{20}$/i.test(versionstamp)) return noVersion
  throw new TypeError('Invalid check')
}
