import type { KvU64 } from './kv-u64.ts'

/** A part of a key; a symbol is what `Kv.commitVersionstamp` gives, as the last part of a key that is set. */
export type KvKeyPart = Uint8Array | string | number | bigint | boolean | symbol

/** A key: its parts. */
export type KvKey = readonly KvKeyPart[]

/**
 * Every read is strongly consistent, whichever you ask for. In a loop that never returns to the event loop, `get` may be a millisecond
 * behind other processes.
 */
export type KvConsistencyLevel = 'strong' | 'eventual'

/** Which keys a list gives: as `Selector` of `valkeyrie`. */
export type KvListSelector =
  | { prefix: KvKey }
  | { prefix: KvKey; start: KvKey }
  | { prefix: KvKey; end: KvKey }
  | { start: KvKey; end: KvKey }

/** How to list. */
export interface KvListOptions {
  /** The most entries to give. Default: all. */
  limit?: number
  /** The `cursor` of an earlier list of the same selector. */
  cursor?: string
  /** From the last key to the first. Default `false`. */
  reverse?: boolean
  consistency?: KvConsistencyLevel
  /** Entries to read at a time, 1,000 at most. Default 100, or the limit up to 500. */
  batchSize?: number
}

/** A value with its key. */
export interface KvEntry<T> {
  key: KvKey
  value: T
  versionstamp: string
}

/** What a read of one key gives. */
export type KvEntryMaybe<T> = KvEntry<T> | { key: KvKey; value: null; versionstamp: null }

export interface KvCommitResult {
  ok: true
  versionstamp: string
}

/** A check did not hold. */
export interface KvCommitError {
  ok: false
}

/** Holds if the key has this version; null: if it has no value. */
export interface AtomicCheck {
  key: KvKey
  versionstamp: string | null
}

/** A mutation as data. */
export type KvMutation = { key: KvKey } & (
  | { type: 'set'; value: unknown; expireIn?: number }
  | { type: 'delete' }
  | { type: 'sum'; value: KvU64 }
  | { type: 'max'; value: KvU64 }
  | { type: 'min'; value: KvU64 }
)

/** How a message is delivered. */
export interface KvEnqueueOptions {
  /** Milliseconds from now, up to 30 days. */
  delay?: number
  /** Keys under which the message is written when its last delivery has failed. */
  keysIfUndelivered?: KvKey[]
  /** Milliseconds before each further delivery: 5 at most, of up to an hour. */
  backoffSchedule?: number[]
}
