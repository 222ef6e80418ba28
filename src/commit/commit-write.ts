import { type ApplyContext, applyMutations } from './apply.ts'
import { failedChecks } from './checks.ts'
import { appliedMutations, type Claimed, claimRows, claimUnchanged } from './claim.ts'
import { applyInserts, areInserts, InsertConflict } from './inserts.ts'
import { changedReads } from './read-set.ts'
import { applyReplacements, areReplacements } from './replacements.ts'
import type { AtomicWrite, Candidate, CommitOutcome, Mutation } from './write.ts'

/**
 * A write without a mark failed halfway, for example under a unique index that another process has just declared: the batch must be
 * rolled back.
 */
export class HalfApplied extends Error {}

/**
 * Commits one write as the next version, or finds why it cannot be committed, and then leaves nothing of it. Throws if the whole
 * batch fails, and HalfApplied if the batch must be applied again with `guardAll`, which gives every write a mark to return to.
 */
export function commitWrite(write: AtomicWrite, context: ApplyContext, guardAll: boolean): CommitOutcome {
  const { transaction, version, now } = context
  if (write.reads !== undefined) {
    const conflicts = changedReads(write.reads, version - 1, now, transaction)
    if (conflicts !== null) return { type: 'conflict', conflicts }
  }
  const claimed = claimedBy(write, context)
  if (claimed !== null && 'conflicts' in claimed) return { type: 'conflict', ...claimed }
  const { checks } = write
  const mutations = appliedMutations(write, claimed?.taken, version)
  const mayViolate = transaction.mayViolateUnique(mutations)
  if (mutations.length > 1 && !guardAll && !mayViolate && areReplacements(checks, mutations)) {
    if (areReplaced(checks, mutations, context)) {
      return committed(context, mutations.filter(isDelete).length, claimed)
    }
  }
  const inserting = areInserts(checks, mutations)
  if (checks.length > 0 && !inserting) {
    const conflicts = failedChecks(checks, transaction, now)
    if (conflicts.length > 0) return { type: 'conflict', conflicts }
  }
  const mayFail = inserting || mutations.some(isArithmetic)
  // A single insert, sum, min or max fails before it changes anything. A mark costs as much as a mutation.
  const guarded = guardAll || mayViolate || (mayFail && mutations.length > 1)
  if (guarded) transaction.mark()
  try {
    const touched = inserting ? applyInserts(mutations, context) : applyMutations(mutations, context)
    const outcome = committed(context, touched, claimed)
    if (guarded) transaction.keep()
    return outcome
  } catch (error) {
    transaction.log.reset()
    if (transaction.failsAll(error)) throw error
    if (!guarded && !mayFail) throw new HalfApplied()
    if (guarded) transaction.undo()
    return error instanceof InsertConflict
      ? { type: 'conflict', conflicts: error.conflicts }
      : { type: 'failed', error }
  }
}

function claimedBy({ claim }: AtomicWrite, { transaction, version, now }: ApplyContext): Claimed | null {
  if (claim === undefined) return null
  const unchanged = claim.since === version - 1 ? claimUnchanged(claim, now) : null
  return unchanged ?? claimRows(claim, transaction.claimable(claim, now))
}

/** Whether the rows were replaced; if not, nothing is left of it. */
function areReplaced(...[checks, mutations, context]: Parameters<typeof applyReplacements>): boolean {
  const { transaction } = context
  transaction.mark()
  const isDone = applyReplacements(checks, mutations, context)
  if (isDone) transaction.keep()
  else {
    transaction.undo()
    transaction.log.reset()
  }
  return isDone
}

function committed(
  { transaction, version, now }: ApplyContext,
  touched: number,
  claimed: { readonly taken: readonly Candidate[] } | null,
): CommitOutcome {
  transaction.append(version, now)
  return { type: 'committed', version, touched, ...(claimed && { claimed: claimed.taken }) }
}

function isDelete({ type }: Mutation): boolean {
  return type === 'delete'
}

function isArithmetic({ type }: Mutation): boolean {
  return type === 'sum' || type === 'min' || type === 'max'
}
