import type { DeleteMutation, KeyCheck, Mutation, SetMutation } from '../../commit/write.ts'
import type { ApplyContext } from './apply-write.ts'
import { engineCode } from './engine-error.ts'

/** A set of a value that replaces one, or the delete of one. */
type Replacement = DeleteMutation | (SetMutation & { readonly expiresAt: number | null })

/**
 * Whether every check is that there is a value of some version under the key of the mutation at the same place: each pair is one UPDATE
 * or DELETE then, which finds out by itself.
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

/** Whether all were applied; where not, a check does not hold or a unique index does, and those before it are there still. */
export function applyReplacements(
  checks: readonly KeyCheck[],
  mutations: readonly Replacement[],
  { statements, log, version, now }: ApplyContext,
): boolean {
  for (let i = 0; i < checks.length; i++) {
    const { key, version: expected } = checks[i]!
    const mutation = mutations[i]!
    if (mutation.type === 'delete') {
      if (statements.removeVersion.run(key, expected!, now) === 0) return false
      log.add('delete', key)
      continue
    }
    const { stored, expiresAt } = mutation
    const { encoding, types, value } = stored
    try {
      const changed = statements.replace.run(value, encoding, types, version, expiresAt, key, expected!, now)
      if (changed === 0) return false
    } catch (error) {
      if (engineCode(error) === 'SQLITE_CONSTRAINT_UNIQUE') return false
      throw error
    }
    log.add('set', key, stored)
  }
  return true
}
