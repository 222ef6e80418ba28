import type { CommitState } from './commit-writes.ts'
import type { LoggedCommit } from './log-format.ts'
import type { FoundRow, StoredRow } from './row.ts'
import type { ExpiredRow, RowVersion } from './transaction.ts'
import type { HeldValues, UniqueFields } from './unique.ts'
import type { Claim } from './write.ts'

/** What is known of a database when a commit is planned, from one state whose newest version is `latest`. */
export interface CommitFacts extends CommitState {
  /** The rows under keys, including expired ones; null if there is none. */
  readonly versions: readonly { readonly key: Uint8Array; readonly row: RowVersion | null }[]
  readonly rows: readonly { readonly key: Uint8Array; readonly row: StoredRow | null }[]
  /** The oldest version in the log; 0 if the log is empty. */
  readonly oldestLogged: number
  /** The commits that `needsOf` asks for, in the order of their versions. */
  readonly logged: readonly LoggedCommit[]
  /** The rows that have expired since the time that `needsOf` gives. */
  readonly expired: readonly (ExpiredRow & { readonly expiresAt: number })[]
  /** The rows that the query of each claim finds. */
  readonly claimable: ReadonlyMap<Claim, readonly FoundRow[]>
  readonly unique: UniqueFields
  /**
   * The rows that violate a unique index, by the value to be stored: none at first; the engine looks them up after a unique index
   * has refused a plan.
   */
  readonly holders: HeldValues
}
