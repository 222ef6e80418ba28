import { compareBytes } from '../key/compare.ts'
import { keyText } from '../key/key-text.ts'
import type { KeyRange } from '../key/range.ts'
import { commitWrites } from './commit-writes.ts'
import type { CommitFacts } from './facts.ts'
import { type PlannedCommit, type PlannedRow, PlannedTransaction } from './planned-transaction.ts'
import type { AtomicWrite, CommitOutcome, Mutation } from './write.ts'

/** What has to be known before writes can be planned. Each key stands in one of the lists, once, in the order of the keys. */
export interface CommitNeeds {
  /** Keys of which the version and the expiry are enough. */
  readonly versions: readonly Uint8Array[]
  /** Keys of which the whole row is needed. */
  readonly rows: readonly Uint8Array[]
  /** The version after which all commits are needed; null: none are. */
  readonly since: number | null
  /** The time after which all rows that have expired are needed, in milliseconds since the epoch; null: none are. */
  readonly expiredAfter: number | null
}

/** What an engine does to commit writes, and the outcomes to give where it is done. */
export interface CommitPlan {
  readonly outcomes: readonly CommitOutcome[]
  /**
   * The newest version that it was planned for, and that after it. Where other commits have come since that leave what `holds`, each
   * version after `before` moves up by as many, in the rows, in the log and in the outcomes; those up to it were there already.
   */
  readonly before: number
  readonly latest: number
  readonly holds: PlanConditions
  /** What becomes of each key that changes, in the order of the keys. */
  readonly rows: readonly PlannedRow[]
  readonly log: readonly PlannedCommit[]
  /** Whose turn ends. */
  readonly endedTurn: string | null
}

/** What must be so still when a plan is carried out: where it is not, the facts are read again and the writes planned again. */
export interface PlanConditions {
  /** Whether `before` must be the newest version still: as what the query of a claim has found reports no later commit. */
  readonly isLatest: boolean
  readonly reads: ReadConditions
  /** Whose turn it must be still; null: nobody's. */
  readonly turn: string | null
  /** The version of the row under each of these keys, expired or not; null: there is none. In the order of the keys. */
  readonly versions: readonly { readonly key: Uint8Array; readonly version: number | null }[]
}

/** What was read, and must not have changed. */
export interface ReadConditions {
  /** No commit after `before` may have changed one of these keys, or a key in one of these ranges. */
  readonly keys: readonly Uint8Array[]
  readonly ranges: readonly KeyRange[]
  /** This time must not have come, and no row of the ranges have expired after that one: milliseconds since the epoch; null: any may. */
  readonly validUntil: number | null
  readonly expiredAfter: number | null
}

/** What has to be read before these writes can be planned. Blind ones need nothing. */
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
 * Plans the commit of writes by what is known, which has to be all that `needsOf` tells and what the queries of their claims find. For an
 * engine that is asked across a wire: it carries the plan out in one request, holding no lock while it waits for an answer.
 */
export function planCommit(
  writes: readonly AtomicWrite[],
  facts: CommitFacts,
  logValues: boolean,
): CommitPlan {
  const transaction = new PlannedTransaction(facts, logValues)
  // To go back costs nothing here.
  const { outcomes, latest } = commitWrites(writes, transaction, facts, true)
  const { versions, ...changes } = transaction.planned()
  const isLatest = writes.some((write) => dependsOnAll(write, facts.latest))
  const holds = { isLatest, reads: readBy(writes), turn: facts.turn?.id ?? null, versions }
  return { outcomes, before: facts.latest, latest, holds, ...changes }
}

/** Whether any later commit might change what becomes of a write. */
function dependsOnAll({ checks, claim, stamped }: AtomicWrite, latest: number): boolean {
  // The keys of one that is stamped are made of the version that it is planned for.
  if (claim !== undefined || stamped) return true
  // The plan may give this version to another commit than others have.
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
