import { UniqueConstraintError } from '../contract/errors.ts'
import { type ApplyContext, applyInsert, applySet } from './apply.ts'
import { failedChecks } from './checks.ts'
import type { CheckConflict, KeyCheck, Mutation, SetMutation } from './write.ts'

/**
 * Whether every mutation is a set, and its check requires that the key has no value. Each pair is then one INSERT, which checks for
 * itself.
 */
export function areInserts(
  checks: readonly KeyCheck[],
  mutations: readonly Mutation[],
): mutations is readonly SetMutation[] {
  if (checks.length === 0 || checks.length !== mutations.length) return false
  for (let i = 0; i < checks.length; i++) {
    const mutation = mutations[i]!
    if (checks[i]!.version !== null || mutation.type !== 'set' || mutation.key !== checks[i]!.key)
      return false
  }
  return true
}

/** Some of the keys to insert already have a value. The inserts before them are not undone. */
export class InsertConflict extends Error {
  readonly conflicts: readonly CheckConflict[]

  constructor(conflicts: readonly CheckConflict[]) {
    super('A key to insert already has a value')
    this.conflicts = conflicts
  }
}

/** Stores the values of new keys. Throws an InsertConflict with every key that is not new. */
export function applyInserts(mutations: readonly SetMutation[], context: ApplyContext): 0 {
  const conflicts: CheckConflict[] = []
  try {
    for (const mutation of mutations) {
      if (applyInsert(mutation, context)) continue
      const taken = takenKeys([mutation], context)
      if (taken.length === 0) applySet(mutation, context)
      else conflicts.push(...taken)
    }
  } catch (error) {
    // As in every write, checks come before unique indexes.
    const taken = error instanceof UniqueConstraintError ? takenKeys(mutations, context) : []
    throw taken.length > 0 ? new InsertConflict(taken) : error
  }
  if (conflicts.length > 0) throw new InsertConflict(conflicts)
  return 0
}

/** The keys that had a value before. An expired row is no value; a row of this very version was just inserted by this write. */
function takenKeys(
  mutations: readonly SetMutation[],
  { transaction, version, now }: ApplyContext,
): readonly CheckConflict[] {
  const checks = mutations.map(({ key }) => ({ key, version: null }))
  return failedChecks(checks, transaction, now).filter(({ actual }) => actual !== version)
}
