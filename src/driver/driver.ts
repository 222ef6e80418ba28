import type { AtomicWrite, CommitOutcome } from '../commit/write.ts'
import type { Pattern } from '../key/pattern.types.ts'
import type { KeyRange } from '../key/range.ts'

/** A row as it is stored, its value still encoded. `expiresAt` in milliseconds since the epoch. */
export interface StoredRow {
  readonly key: Uint8Array
  readonly value: string | Uint8Array
  readonly encoding: number
  readonly types: string | null
  readonly version: number
  readonly expiresAt: number | null
}

/** One page of a listing in key order; with a `collection`, its rows only. */
export interface Scan {
  readonly range: KeyRange
  readonly collection: string | null
  readonly reverse: boolean
  readonly limit: number
}

/** An index over fields of the values of one collection. */
export interface IndexDeclaration {
  readonly fields: readonly string[]
  readonly unique: boolean
}

/** A collection as the database keeps it, so that every process files rows alike. */
export interface Collection {
  readonly name: string
  readonly pattern: Pattern
  /** The schema's output as JSON Schema, where the schema can tell it. */
  readonly schema: object | null
}

/** The collections that a database knows, and the version of the commit that last changed them. */
export interface Catalog {
  readonly version: number
  readonly collections: readonly Collection[]
}

/** Writes to be committed together, in order, filed according to `catalogVersion`. */
export interface CommitBatch {
  readonly catalogVersion: number
  readonly writes: readonly AtomicWrite[]
}

/** `stale`: another process changed the collections since; nothing was written, file the rows anew and try again. */
export type BatchOutcome =
  | { readonly type: 'done'; readonly outcomes: readonly CommitOutcome[] }
  | { readonly type: 'stale'; readonly catalog: Catalog }

export interface SweepOutcome {
  /** Expired rows removed. */
  readonly removed: number
  /** When the next row expires, in milliseconds since the epoch. */
  readonly next: number | null
}

/**
 * A store of rows. It takes and gives plain data, so that an engine in another process can stand behind it, and runs
 * each call in a transaction of its own. Rows that have expired are never given.
 */
export interface Driver {
  /** The row under `key`. */
  get(key: Uint8Array): Promise<StoredRow | null>
  /** The rows under `keys`, in their order, from one snapshot. */
  getMany(keys: readonly Uint8Array[]): Promise<(StoredRow | null)[]>
  /** Whether there is a row under `key`, without its value. */
  exists(key: Uint8Array): Promise<boolean>
  scan(scan: Scan): Promise<StoredRow[]>
  /** The number of rows of a collection in a range; without a range, of all its rows. */
  count(collection: string, range: KeyRange | null): Promise<number>
  /**
   * Commits each write under a version of its own, all in one transaction. A write that conflicts or fails leaves
   * nothing behind and harms no other; when the engine fails, the call is rejected and nothing of the batch is written.
   */
  commit(batch: CommitBatch): Promise<BatchOutcome>
  /** Removes every row. */
  clear(): Promise<void>
  /** When the next row expires, in milliseconds since the epoch. */
  nextExpiry(): Promise<number | null>
  /** Removes rows that have expired, at most `limit` of them. */
  sweep(limit: number): Promise<SweepOutcome>
  close(): Promise<void>
  /** Closes, and removes what the database keeps outside of this process. */
  destroy(): Promise<void>
}
