import { type ApplyContext, applyInsert, applySet } from './apply.ts'
import { failedChecks } from './checks.ts'
import type { CheckConflict, KeyCheck, Mutation, SetMutation } from './write.ts'

/**
 * Whether every check is that there is no value under the key of the set at the same place: each pair is one INSERT then,
 * which finds out by itself.
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

/** Some of the keys to insert have a value already. What was inserted before that was found is there still. */
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
    // An expired row is no value, and one of this very version was inserted just before.
    if (conflict === undefined || conflict.actual === version) applySet(mutation, context)
    else conflicts.push(conflict)
  }
  if (conflicts.length > 0) throw new InsertConflict(conflicts)
  return 0
}
