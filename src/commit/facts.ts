import type { Key } from '../contract/key.types.ts'
import type { CommitState } from './commit-writes.ts'
import type { LoggedCommit } from './log-format.ts'
import type { StoredRow } from './row.ts'
import type { ExpiredRow, RowVersion } from './transaction.ts'
import type { HeldValues, UniqueFields } from './unique.ts'
import type { Claim } from './write.ts'

/** What is known of a database when a commit is planned, all of one state, whose newest version is `latest`. */
export interface CommitFacts extends CommitState {
  /** What is under keys, rows that have expired too; null: nothing. */
  readonly versions: readonly { readonly key: Uint8Array; readonly row: RowVersion | null }[]
  readonly rows: readonly { readonly key: Uint8Array; readonly row: StoredRow | null }[]
  /** The oldest version that the log keeps; 0 where it keeps none. */
  readonly oldestLogged: number
  /** The commits that are needed, in the order of their versions. */
  readonly logged: readonly LoggedCommit[]
  /** The rows that have expired since the time from which on they are needed. */
  readonly expired: readonly (ExpiredRow & { readonly expiresAt: number })[]
  /** What the query of each claim finds. */
  readonly claimable: ReadonlyMap<Claim, readonly { readonly key: Key; readonly version: number }[]>
  readonly unique: UniqueFields
  /**
   * The rows that were found to stand in the way, by the values that are to be stored: none at first, and those that the engine looks up
   * where it has refused a plan for a unique index.
   */
  readonly holders: HeldValues
}
