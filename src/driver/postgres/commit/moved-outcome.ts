import type { CommitPlan } from '../../../commit/plan.ts'
import type { CommitOutcome } from '../../../commit/write.ts'

/** An outcome after other commits came in between: the versions that it was to give have moved. */
export function movedOutcome(outcome: CommitOutcome, { before }: CommitPlan, moved: number): CommitOutcome {
  if (moved === 0) return outcome
  const move = (version: number | null) => (version !== null && version > before ? version + moved : version)
  if (outcome.type === 'committed') return { ...outcome, version: move(outcome.version)! }
  if (outcome.type !== 'conflict') return outcome
  return {
    ...outcome,
    conflicts: outcome.conflicts.map((conflict) => ({ ...conflict, actual: move(conflict.actual) })),
  }
}
