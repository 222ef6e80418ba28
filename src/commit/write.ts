import type { KeyRange } from '../key/range.ts'
import type { FindPlan, Planned } from '../query/plan.ts'
import type { StoredValue } from '../value/encoding.ts'

/** Holds when the key's newest version is this one; `null`: when the key has no value that has not expired. */
export interface KeyCheck {
  readonly key: Uint8Array
  readonly version: number | null
}

/**
 * Stores a value. `expiresAt`: milliseconds since the epoch, `null` for never; left out: that of the value which it replaces,
 * `null` if there is none that has not expired.
 */
export interface SetMutation {
  readonly type: 'set'
  readonly key: Uint8Array
  readonly collection: string | null
  readonly stored: StoredValue
  readonly expiresAt?: number | null
  /** The last part of its key is `stampPlace`, and becomes the versionstamp of the commit. */
  readonly stamped?: boolean
}

export interface DeleteMutation {
  readonly type: 'delete'
  readonly key: Uint8Array
}

/** KvU64 arithmetic on what is stored when the write commits. `expiresAt` left out: the key keeps its expiry. */
export interface ArithmeticMutation {
  readonly type: 'sum' | 'min' | 'max'
  readonly key: Uint8Array
  readonly collection: string | null
  readonly operand: bigint
  readonly expiresAt?: number | null
}

/** Changes when a value expires, and nothing else of it; without a value it does nothing. */
export interface TouchMutation {
  readonly type: 'touch'
  readonly key: Uint8Array
  readonly expiresAt: number | null
}

export type Mutation = SetMutation | DeleteMutation | ArithmeticMutation | TouchMutation

/**
 * What was read at the version `since` and the time `at` (ms since the epoch): keys with the versions found, and ranges. It
 * holds as long as no later commit has changed one of the keys or a key in one of the ranges, no row in the ranges has
 * expired, and the time `validUntil`, when the first of the rows under the keys does, has not come.
 */
export interface ReadSet {
  readonly since: number
  readonly at: number
  readonly keys: readonly KeyCheck[]
  readonly ranges: readonly KeyRange[]
  readonly validUntil: number | null
}

/** A row as it was read, and the mutation that was prepared of it. `expiresAt` in milliseconds since the epoch. */
export interface Candidate {
  readonly key: Uint8Array
  readonly version: number
  readonly expiresAt: number | null
  readonly mutation: Mutation
}

/**
 * Mutates the rows that a query finds when the write commits. What is made of a row is prepared before, since it may take long and
 * must not hold the lock: the rows that the query found then, and some behind them, for others may have taken the first of
 * them. It conflicts where the query finds a row that is no candidate, or none at all. `since`: a version that was there before the
 * candidates were read; the query need not run again where it is the newest still.
 */
export interface Claim {
  readonly query: Planned<FindPlan>
  readonly since: number | null
  readonly candidates: readonly Candidate[]
}

/** What commits together or not at all: what was read still holds, every check holds, then every mutation is applied in order. */
export interface AtomicWrite {
  readonly checks: readonly KeyCheck[]
  readonly mutations: readonly Mutation[]
  readonly reads?: ReadSet
  /** Whose turn it is, where the write is made in one: it ends with the commit. */
  readonly turn?: string
  /** Instead of mutations: those of the rows that a query finds then. */
  readonly claim?: Claim
  /** Whether some of its sets are stamped. */
  readonly stamped?: boolean
}

/** A check that did not hold; `actual` is the version found, `null` if there is no value. */
export interface CheckConflict {
  readonly key: Uint8Array
  readonly expected: number | null
  readonly actual: number | null
}

/**
 * What became of one write: `touched` counts the values that its deletes and touches found, `claimed` are the places of the
 * candidates that a claim has taken.
 */
export type CommitOutcome =
  | {
      readonly type: 'committed'
      readonly version: number
      readonly touched: number
      readonly claimed?: readonly number[]
    }
  | { readonly type: 'conflict'; readonly conflicts: readonly CheckConflict[] }
  | { readonly type: 'failed'; readonly error: unknown }
  /** Nothing was written, since it is another's turn until then (ms since the epoch), or until that ends it. */
  | { readonly type: 'waits'; readonly until: number }

export const noChecks: readonly KeyCheck[] = []
