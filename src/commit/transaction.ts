import type { Key } from '../contract/key.types.ts'
import type { StoredValue } from '../value/encoding.ts'
import type { ChangeLog, LoggedCommit } from './log-format.ts'
import type { StoredRow } from './row.ts'
import type { UniqueHolder } from './unique.ts'
import type { Claim, Mutation, SetMutation } from './write.ts'

/** Of which version the row under a key is, and when it expires, in milliseconds since the epoch. */
export type RowVersion = Pick<StoredRow, 'version' | 'expiresAt'>

/** A row that expired, and the version that it had. */
export interface ExpiredRow {
  readonly key: Uint8Array
  readonly version: number
}

/**
 * What a commit is judged against, and what it is applied to: the open transaction of an engine that answers at once, or rows that were
 * read before, as of `PlannedTransaction`. Rows that have expired are among those that it gives. Each method does one thing, whatever
 * it means: what it means is decided by those who call it.
 */
export interface CommitTransaction {
  /** Collects what the write changes, for its row of the log. */
  readonly log: ChangeLog

  /** `null`: no row is under the key. */
  versionOf(key: Uint8Array): RowVersion | null
  row(key: Uint8Array): StoredRow | null
  /** The oldest version that the log keeps; 0 where it keeps none. */
  oldestLogged(): number
  /** The commits after a version in the order of their versions, or the first of them; none: there are no more. */
  loggedAfter(version: number): readonly LoggedCommit[]
  /** The rows that expire after one time and not after another, in milliseconds since the epoch. */
  expiredBetween(after: number, until: number): readonly ExpiredRow[]
  /** The rows that the query of a claim finds. */
  claimable(claim: Claim, now: number): readonly { readonly key: Key; readonly version: number }[]

  /** Whether one of these mutations may violate a unique index. */
  mayViolateUnique(mutations: readonly Mutation[]): boolean
  /** Whether this was thrown since a row would have violated a unique index: then it was not stored. */
  violatesUnique(error: unknown): boolean
  /** The row that keeps `stored` from being stored under a key of this collection; `null`: no unique index is violated. */
  holderOf(collection: string, key: Uint8Array, stored: StoredValue): UniqueHolder | null

  /** Stores a row under its key. Throws what `violatesUnique` knows where a unique index is in the way. */
  upsert(set: SetMutation, version: number, expiresAt: number | null): void
  /** As `upsert`; whether there was no row under the key, and it was stored. */
  insert(set: SetMutation, version: number, expiresAt: number | null): boolean
  /** As `upsert`; whether the row under the key was of this version and had not expired, and was replaced. */
  replace(set: SetMutation, version: number, expiresAt: number | null, expected: number, now: number): boolean
  /** Gives the row under a key another version and another expiry. */
  touch(key: Uint8Array, version: number, expiresAt: number | null): void
  remove(key: Uint8Array): void
  /** Whether the row under the key was of this version and had not expired, and was removed. */
  removeVersion(key: Uint8Array, expected: number, now: number): boolean
  /** Adds a commit to the log. */
  append(version: number, at: number, changes: Uint8Array): void
  /** Ends a turn that was given. */
  endTurn(id: string): void

  /** Remembers the state, to go back to it; then either `undo` or `keep` is called. */
  mark(): void
  undo(): void
  keep(): void
  /** Whether nothing of the whole batch can be committed after this was thrown, as where the engine itself failed. */
  failsAll(error: unknown): boolean
}
