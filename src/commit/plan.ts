import { compareBytes } from '../key/compare.ts'
import { keyText } from '../key/key-text.ts'
import type { KeyRange } from '../key/range.ts'
import { commitWrites } from './commit-writes.ts'
import type { CommitFacts } from './facts.ts'
import { type PlannedCommit, type PlannedRow, PlannedTransaction } from './planned-transaction.ts'
import type { AtomicWrite, CommitOutcome, Mutation } from './write.ts'

/** What must be read before writes can be planned. Each key is in one of the lists, once, in the order of the keys. */
export interface CommitNeeds {
  /** Keys whose version and expiry are enough. */
  readonly versions: readonly Uint8Array[]
  /** Keys whose whole row is needed. */
  readonly rows: readonly Uint8Array[]
  /** The commits after this version are needed; null for none. */
  readonly since: number | null
  /** The rows that have expired after this time (ms since the epoch) are needed; null for none. */
  readonly expiredAfter: number | null
}

/** What an engine does to commit writes, and the outcomes to return afterwards. */
export interface CommitPlan {
  readonly outcomes: readonly CommitOutcome[]
  /**
   * The newest version before the planned commits, and after them. If other commits come first and `holds` still does, every
   * version after `before` moves up by their number: in the rows, in the log and in the outcomes. Versions up to `before` stay.
   */
  readonly before: number
  readonly latest: number
  readonly holds: PlanConditions
  /** The new row of each key that changes, in the order of the keys. */
  readonly rows: readonly PlannedRow[]
  readonly log: readonly PlannedCommit[]
  /** The turn that ends; null for none. */
  readonly endedTurn: string | null
}

/** What must still hold when a plan is carried out. If it does not, the facts are read and the writes planned again. */
export interface PlanConditions {
  /** Whether `before` must still be the newest version. A claim needs that: the result of its query does not show later commits. */
  readonly isLatest: boolean
  readonly reads: ReadConditions
  /** Whose turn it must still be; null for nobody's. */
  readonly turn: string | null
  /** The version of the row under each of these keys, expired or not, in the order of the keys; null if there is none. */
  readonly versions: readonly { readonly key: Uint8Array; readonly version: number | null }[]
}

/** What was read by the writes that the plan commits, and must be unchanged. */
export interface ReadConditions {
  /** No commit after `before` may have changed one of these keys, or a key in one of these ranges. */
  readonly keys: readonly Uint8Array[]
  readonly ranges: readonly KeyRange[]
  /**
   * The time `validUntil` must not have come, and no row of the ranges may have expired since `expiredAfter`. Both in ms since the
   * epoch; null for no such condition.
   */
  readonly validUntil: number | null
  readonly expiredAfter: number | null
}

/** What must be read before these writes can be planned; nothing for blind writes. */
export function needsOf(writes: readonly AtomicWrite[]): CommitNeeds {
  const versions = new Map<string, Uint8Array>()
  const rows = new Map<string, Uint8Array>()
  let since = Number.POSITIVE_INFINITY
  let expiredAfter = Number.POSITIVE_INFINITY
  const add = (mutation: Mutation) => {
    const { key } = mutation
    if (mutation.type === 'delete' || (mutation.type === 'set' && mutation.expiresAt === undefined)) {
      versions.set(keyText(key), key)
    } else if (mutation.type !== 'set') rows.set(keyText(key), key)
  }
  for (const { checks, mutations, reads, claim } of writes) {
    for (const { key } of checks) versions.set(keyText(key), key)
    for (const mutation of mutations) add(mutation)
    for (const { mutation } of claim?.candidates ?? []) add(mutation)
    if (reads === undefined) continue
    for (const { key } of reads.keys) versions.set(keyText(key), key)
    since = Math.min(since, reads.since)
    if (reads.ranges.length > 0) expiredAfter = Math.min(expiredAfter, reads.at)
  }
  for (const text of rows.keys()) versions.delete(text)
  return {
    versions: [...versions.values()].sort(compareBytes),
    rows: [...rows.values()].sort(compareBytes),
    since: Number.isFinite(since) ? since : null,
    expiredAfter: Number.isFinite(expiredAfter) ? expiredAfter : null,
  }
}

/**
 * Plans the commit of writes from `facts`: everything that `needsOf` asks for, and what the queries of claims find. It is for an
 * engine across a wire, which then carries out the plan in one request, and holds no lock while it waits for an answer.
 */
export function planCommit(
  writes: readonly AtomicWrite[],
  facts: CommitFacts,
  logValues: boolean,
): CommitPlan {
  const transaction = new PlannedTransaction(facts, logValues)
  // Going back costs nothing here.
  const { outcomes, latest } = commitWrites(writes, transaction, facts, 'all')
  const { versions, ...changes } = transaction.planned()
  const isLatest = writes.some((write) => dependsOnAll(write, facts.latest))
  // What a refused write has read no longer matters, and may be out of date forever.
  const reads = readBy(writes.filter((_, place) => outcomes[place]!.type === 'committed'))
  const holds = { isLatest, reads, turn: facts.turn?.id ?? null, versions }
  return { outcomes, before: facts.latest, latest, holds, ...changes }
}

/** Whether any later commit might change the outcome of a write. */
function dependsOnAll({ checks, claim, stamped }: AtomicWrite, latest: number): boolean {
  // A stamped key contains the version that was planned.
  if (claim !== undefined || stamped) return true
  // A version of this plan may belong to a different commit by then.
  return checks.some(({ version }) => version !== null && version > latest)
}

function readBy(writes: readonly AtomicWrite[]): PlanConditions['reads'] {
  const reads = writes.flatMap((write) => write.reads ?? [])
  const earliest = (times: readonly number[]) => (times.length === 0 ? null : Math.min(...times))
  return {
    keys: reads.flatMap(({ keys }) => keys.map(({ key }) => key)),
    ranges: reads.flatMap(({ ranges }) => ranges),
    validUntil: earliest(reads.flatMap(({ validUntil }) => validUntil ?? [])),
    expiredAfter: earliest(reads.flatMap(({ ranges, at }) => (ranges.length === 0 ? [] : at))),
  }
}
