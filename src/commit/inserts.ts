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
  const { transaction, version, now } = context
  const conflicts: CheckConflict[] = []
  for (const mutation of mutations) {
    if (applyInsert(mutation, context)) continue
    const [conflict] = failedChecks([{ key: mutation.key, version: null }], transaction, now)
    // An expired row is no value; a row of this very version was just inserted by this write.
    if (conflict === undefined || conflict.actual === version) applySet(mutation, context)
    else conflicts.push(conflict)
  }
  if (conflicts.length > 0) throw new InsertConflict(conflicts)
  return 0
}
