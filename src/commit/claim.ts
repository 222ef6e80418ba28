import { encodeStoredKey } from '../key/codec.ts'
import { keyText } from '../key/key-text.ts'
import { operandAt } from '../query/operand.ts'
import { type FoundRow, hasExpired } from './row.ts'
import { stampKeys } from './stamped-key.ts'
import type { AtomicWrite, Candidate, CheckConflict, Claim, Mutation } from './write.ts'

/** What a claim takes: these candidates, in the order of the query. */
export type Claimed =
  | { readonly taken: readonly Candidate[] }
  | { readonly conflicts: readonly CheckConflict[] }

/** The most rows that a claim takes. */
export function limitOf({ query: { plan, operands }, candidates }: Claim): number {
  return plan.limit === null ? candidates.length : operandAt(operands, plan.limit)
}

/** What to take if nobody can have changed the candidates since they were read; null if one of them has expired. */
export function claimUnchanged(claim: Claim, now: number): Claimed | null {
  const taken = claim.candidates.slice(0, limitOf(claim))
  if (taken.some(({ expiresAt }) => hasExpired(expiresAt, now))) return null
  return { taken }
}

/** What to take if the query of the claim now finds these rows. */
export function claimRows({ candidates, prepare }: Claim, rows: readonly FoundRow[]): Claimed {
  const candidateOf = prepare ?? among(candidates)
  const taken: Candidate[] = []
  const conflicts: CheckConflict[] = []
  for (let place = 0; place < rows.length; place++) {
    const row = rows[place]!
    const candidate = candidateOf(row, place)
    if (candidate?.version === row.version) taken.push(candidate)
    else
      conflicts.push({
        key: encodeStoredKey(row.key),
        expected: candidate?.version ?? null,
        actual: row.version,
      })
  }
  return conflicts.length > 0 || taken.length === 0 ? { conflicts } : { taken }
}

function among(candidates: readonly Candidate[]): (row: FoundRow) => Candidate | null {
  const byKey = new Map(candidates.map((candidate) => [keyText(candidate.key), candidate]))
  return ({ key }) => byKey.get(keyText(encodeStoredKey(key))) ?? null
}

/** The mutations of a write that commits as this version; for a claim, those of the candidates that it has taken. */
export function appliedMutations(
  write: Pick<AtomicWrite, 'mutations' | 'claim' | 'stamped'>,
  claimed: readonly Candidate[] | undefined,
  version: number,
): readonly Mutation[] {
  const { claim, mutations, stamped } = write
  if (claim !== undefined) return claimed!.map(({ mutation }) => mutation)
  return stamped ? stampKeys(mutations, version) : mutations
}
