import type { KeyRange } from '../key/range.ts'
import type { FindPlan, Planned } from '../query/plan.ts'
import type { StoredValue } from '../value/encoding.ts'
import type { FoundRow } from './row.ts'
import type { Withdrawal } from './withdrawal.ts'

/** Holds if the newest version of the key is this one; `null`: if the key has no value, or an expired one. */
export interface KeyCheck {
  readonly key: Uint8Array
  readonly version: number | null
}

/**
 * Stores a value. `expiresAt`: milliseconds since the epoch, or `null` for never. Left out: the expiry of the value that it
 * replaces, or `null` if there is none.
 */
export interface SetMutation {
  readonly type: 'set'
  readonly key: Uint8Array
  readonly collection: string | null
  readonly stored: StoredValue
  readonly expiresAt?: number | null
  /** The last part of its key is `stampPlace`, which the versionstamp of the commit replaces. */
  readonly stamped?: boolean
}

export interface DeleteMutation {
  readonly type: 'delete'
  readonly key: Uint8Array
}

/** KvU64 arithmetic on the stored value at the time of the commit. `expiresAt` left out: the key keeps its expiry. */
export interface ArithmeticMutation {
  readonly type: 'sum' | 'min' | 'max'
  readonly key: Uint8Array
  readonly collection: string | null
  readonly operand: bigint
  readonly expiresAt?: number | null
}

/** Changes only when a value expires; does nothing without a value. */
export interface TouchMutation {
  readonly type: 'touch'
  readonly key: Uint8Array
  readonly expiresAt: number | null
}

export type Mutation = SetMutation | DeleteMutation | ArithmeticMutation | TouchMutation

/**
 * What was read at the version `since` and the time `at` (ms since the epoch): keys with the versions found, and ranges. It holds
 * as long as no later commit has changed one of the keys or a key in one of the ranges, no row in the ranges has expired, and
 * `validUntil`, when the first row under the keys expires, has not come.
 */
export interface ReadSet {
  readonly since: number
  readonly at: number
  readonly keys: readonly KeyCheck[]
  readonly ranges: readonly KeyRange[]
  readonly validUntil: number | null
}

/** A row as it was read, and the mutation that was prepared for it. `expiresAt` in milliseconds since the epoch. */
export interface Candidate {
  readonly key: Uint8Array
  readonly version: number
  readonly expiresAt: number | null
  readonly mutation: Mutation
}

/**
 * Mutates the rows that a query finds at the time of the commit. The mutations are prepared before, because that may take long and
 * must not hold the lock: for the rows that the query found then, and some after them, in case others take the first ones. It
 * conflicts if the query then finds a row that is not a candidate, or nothing. `since`: a version from before the candidates were
 * read; if it is still the newest, the query need not run again.
 *
 * `prepare`, for a claim whose driver says `mayClaimInPlace`: makes a candidate of the row in this place of the result, in the
 * transaction. It takes some microseconds, and gives null if that cannot be done there.
 */
export interface Claim {
  readonly query: Planned<FindPlan>
  readonly since: number | null
  readonly candidates: readonly Candidate[]
  readonly prepare?: (row: FoundRow, place: number) => Candidate | null
}

/** What commits together or not at all: the reads still hold, every check holds, then the mutations are applied in order. */
export interface AtomicWrite {
  readonly checks: readonly KeyCheck[]
  readonly mutations: readonly Mutation[]
  readonly reads?: ReadSet
  /** The turn in which the write is made, if any; the commit ends it. */
  readonly turn?: string
  /** Instead of mutations: those of the rows that the query finds at the time of the commit. */
  readonly claim?: Claim
  /** Whether some of its keys are stamped. */
  readonly stamped?: boolean
  /** If the call takes a signal. */
  readonly withdrawal?: Withdrawal
}

/** A check that did not hold; `actual` is the version found, `null` if there is no value. */
export interface CheckConflict {
  readonly key: Uint8Array
  readonly expected: number | null
  readonly actual: number | null
}

/**
 * The outcome of one write. `touched` counts the values that its deletes and touches found; `claimed` are the candidates that a
 * claim has taken, in the order of its query.
 */
export type CommitOutcome =
  | {
      readonly type: 'committed'
      readonly version: number
      readonly touched: number
      readonly claimed?: readonly Candidate[]
    }
  | { readonly type: 'conflict'; readonly conflicts: readonly CheckConflict[] }
  | { readonly type: 'failed'; readonly error: unknown }
  /** Nothing was written: it is somebody else's turn until then (ms since the epoch), or until they end it. */
  | { readonly type: 'waits'; readonly until: number }

export const noChecks: readonly KeyCheck[] = []
