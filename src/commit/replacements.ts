import type { ApplyContext } from './apply.ts'
import type { DeleteMutation, KeyCheck, Mutation, SetMutation } from './write.ts'

/** A set that replaces a value, or a delete of one. */
type Replacement = DeleteMutation | (SetMutation & { readonly expiresAt: number | null })

/**
 * Whether every mutation sets or deletes a key, and its check requires a value of some version there. Each pair is then one UPDATE
 * or DELETE, which checks for itself.
 */
export function areReplacements(
  checks: readonly KeyCheck[],
  mutations: readonly Mutation[],
): mutations is readonly Replacement[] {
  if (checks.length === 0 || checks.length !== mutations.length) return false
  for (let i = 0; i < checks.length; i++) {
    const mutation = mutations[i]!
    if (checks[i]!.version === null || mutation.key !== checks[i]!.key) return false
    const isOne = mutation.type === 'delete' || (mutation.type === 'set' && mutation.expiresAt !== undefined)
    if (!isOne) return false
  }
  return true
}

/** Whether all were applied. If not, a check or a unique index failed, and the mutations before it are not undone. */
export function applyReplacements(
  checks: readonly KeyCheck[],
  mutations: readonly Replacement[],
  { transaction, version, now }: ApplyContext,
): boolean {
  for (let i = 0; i < checks.length; i++) {
    const { key, version: expected } = checks[i]!
    const mutation = mutations[i]!
    if (mutation.type === 'delete') {
      if (!transaction.removeVersion(key, expected!, now)) return false
      transaction.log.add('delete', key)
      continue
    }
    try {
      if (!transaction.replace(mutation, version, mutation.expiresAt, expected!, now)) return false
    } catch (error) {
      if (transaction.violatesUnique(error)) return false
      throw error
    }
    transaction.log.add('set', key, mutation.stored)
  }
  return true
}
