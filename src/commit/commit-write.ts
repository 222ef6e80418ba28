import { type ApplyContext, applyMutations } from './apply.ts'
import { failedChecks } from './checks.ts'
import { appliedMutations, type Claimed, claimRows, claimUnchanged } from './claim.ts'
import { applyInserts, areInserts, InsertConflict } from './inserts.ts'
import { changedReads } from './read-set.ts'
import { applyReplacements, areReplacements } from './replacements.ts'
import type { AtomicWrite, Candidate, CommitOutcome, Mutation } from './write.ts'

/**
 * Which writes get a mark to return to: those that are known to be able to fail halfway, all, or none, for a write that has the
 * transaction to itself. While there is a mark, the engine keeps each page that a statement with triggers changes, and what it keeps
 * takes longer to go through with each of them: a large write of rows with a search would take minutes.
 */
export type Marks = 'needed' | 'all' | 'none'

/**
 * A write without a mark failed halfway: the batch must be rolled back. `outcome`: that of the write, if it was the only one;
 * otherwise, and if it is null, the batch must be applied again with all marks.
 */
export class HalfApplied extends Error {
  readonly outcome: CommitOutcome | null

  constructor(outcome: CommitOutcome | null) {
    super('A write without a mark failed halfway')
    this.outcome = outcome
  }
}

/**
 * Commits one write as the next version, or finds why it cannot be committed, and then leaves nothing of it. Throws if the whole
 * batch fails, and HalfApplied if it must be rolled back because of this write.
 */
export function commitWrite(write: AtomicWrite, context: ApplyContext, marks: Marks): CommitOutcome {
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
  if (mutations.length > 1 && marks !== 'all' && !mayViolate && areReplacements(checks, mutations)) {
    if (areReplaced(checks, mutations, context, marks)) {
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
  const mayFailHalfway = mayViolate || (mayFail && mutations.length > 1)
  const guarded = marks === 'all' || (marks === 'needed' && mayFailHalfway)
  if (guarded) transaction.mark()
  try {
    const touched = inserting ? applyInserts(mutations, context) : applyMutations(mutations, context)
    const outcome = committed(context, touched, claimed)
    if (guarded) transaction.keep()
    return outcome
  } catch (error) {
    transaction.log.reset()
    if (transaction.failsAll(error)) throw error
    const outcome: CommitOutcome =
      error instanceof InsertConflict
        ? { type: 'conflict', conflicts: error.conflicts }
        : { type: 'failed', error }
    // A single insert that meets a value has changed nothing, nor has a single sum, min or max that fails.
    const isUnchanged = mutations.length === 1 && outcome.type === 'conflict'
    const mayHaveChanged = (mayFailHalfway && !isUnchanged) || !mayFail
    if (guarded) transaction.undo()
    else if (mayHaveChanged) throw new HalfApplied(outcome)
    return outcome
  }
}

function claimedBy({ claim }: AtomicWrite, { transaction, version, now }: ApplyContext): Claimed | null {
  if (claim === undefined) return null
  const unchanged = claim.since === version - 1 ? claimUnchanged(claim, now) : null
  return unchanged ?? claimRows(claim, transaction.claimable(claim, now))
}

/** Whether the rows were replaced; if not, nothing is left of it. Without a mark, throws HalfApplied instead. */
function areReplaced(
  ...[checks, mutations, context, marks]: [...Parameters<typeof applyReplacements>, Marks]
): boolean {
  const { transaction } = context
  const marked = marks !== 'none'
  if (marked) transaction.mark()
  const isDone = applyReplacements(checks, mutations, context)
  if (isDone) {
    if (marked) transaction.keep()
    return true
  }
  transaction.log.reset()
  if (!marked) throw new HalfApplied(null)
  transaction.undo()
  return false
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
