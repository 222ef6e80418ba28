import type { StoredValue } from '../value/encoding.ts'
import type { CollectedChanges, LoggedCommit } from './log-format.ts'
import type { FoundRow, StoredRow } from './row.ts'
import type { UniqueHolder } from './unique.ts'
import type { Claim, Mutation, SetMutation } from './write.ts'

/** The version of the row under a key, and its expiry in milliseconds since the epoch. */
export type RowVersion = Pick<StoredRow, 'version' | 'expiresAt'>

/** An expired row, and the version it had. */
export interface ExpiredRow {
  readonly key: Uint8Array
  readonly version: number
}

/**
 * What a commit is judged by and applied to: the open transaction of an engine that answers at once, or facts that were read before
 * (`PlannedTransaction`). It also returns expired rows. Each method does one thing; what it means is up to the caller.
 */
export interface CommitTransaction {
  /** Collects the changes of the write, for its row of the log. */
  readonly log: CollectedChanges

  /** `null`: there is no row under the key. */
  versionOf(key: Uint8Array): RowVersion | null
  row(key: Uint8Array): StoredRow | null
  /** The oldest version in the log; 0 if the log is empty. */
  oldestLogged(): number
  /** The commits after a version, or the first of them, in the order of their versions; empty if there are no more. */
  loggedAfter(version: number): readonly LoggedCommit[]
  /** The rows that expire after the first time, up to the second. In milliseconds since the epoch. */
  expiredBetween(after: number, until: number): readonly ExpiredRow[]
  /** The rows that the query of a claim finds. */
  claimable(claim: Claim, now: number): readonly FoundRow[]

  /** Whether one of these mutations could violate a unique index. */
  mayViolateUnique(mutations: readonly Mutation[]): boolean
  /** Whether this error means that a row would have violated a unique index, and was not stored. */
  violatesUnique(error: unknown): boolean
  /** The row that keeps `stored` from being stored under a key of this collection; `null` if no unique index is violated. */
  holderOf(collection: string, key: Uint8Array, stored: StoredValue): UniqueHolder | null

  /** Stores a row under its key. If a unique index is violated, throws an error that `violatesUnique` recognizes. */
  upsert(set: SetMutation, version: number, expiresAt: number | null): void
  /** Like `upsert`, but only if there is no row under the key. Returns whether it stored the row. */
  insert(set: SetMutation, version: number, expiresAt: number | null): boolean
  /** Like `upsert`, but only if the row under the key has this version and has not expired. Returns whether it replaced the row. */
  replace(set: SetMutation, version: number, expiresAt: number | null, expected: number, now: number): boolean
  /** Gives the row under a key a new version and expiry. */
  touch(key: Uint8Array, version: number, expiresAt: number | null): void
  remove(key: Uint8Array): void
  /** Removes the row under the key if it has this version and has not expired. Returns whether it did. */
  removeVersion(key: Uint8Array, expected: number, now: number): boolean
  /** Adds a commit with the collected changes to the log, and begins to collect those of the next one. */
  append(version: number, at: number): void
  /** Ends a turn. */
  endTurn(id: string): void

  /** Marks the state to go back to. Must be followed by either `undo` or `keep`. */
  mark(): void
  undo(): void
  keep(): void
  /** Whether nothing of the batch can be committed after this error, for example because the engine failed. */
  failsAll(error: unknown): boolean
}
