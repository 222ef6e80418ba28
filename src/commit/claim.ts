import type { Key } from '../contract/key.types.ts'
import { encodeStoredKey } from '../key/codec.ts'
import { keyText } from '../key/key-text.ts'
import { operandAt } from '../query/operand.ts'
import { hasExpired } from './row.ts'
import { stampKeys } from './stamped-key.ts'
import type { AtomicWrite, CheckConflict, Claim, Mutation } from './write.ts'

/** What a claim takes: the places of these candidates, in the order of the query. */
export type Claimed =
  | { readonly places: readonly number[] }
  | { readonly conflicts: readonly CheckConflict[] }

/** The most rows that a claim takes. */
export function limitOf({ query: { plan, operands }, candidates }: Claim): number {
  return plan.limit === null ? candidates.length : operandAt(operands, plan.limit)
}

/** What to take if nobody can have changed the candidates since they were read; null if one of them has expired. */
export function claimUnchanged(claim: Claim, now: number): Claimed | null {
  const taken = claim.candidates.slice(0, limitOf(claim))
  if (taken.some(({ expiresAt }) => hasExpired(expiresAt, now))) return null
  return { places: [...taken.keys()] }
}

/** What to take if the query of the claim now finds these rows. */
export function claimRows(
  { candidates }: Claim,
  rows: readonly { readonly key: Key; readonly version: number }[],
): Claimed {
  const placeOf = new Map(candidates.map(({ key }, place) => [keyText(key), place]))
  const places: number[] = []
  const conflicts: CheckConflict[] = []
  for (const row of rows) {
    const key = encodeStoredKey(row.key)
    const place = placeOf.get(keyText(key))
    if (place !== undefined && candidates[place]!.version === row.version) places.push(place)
    else conflicts.push({ key, expected: candidates[place ?? -1]?.version ?? null, actual: row.version })
  }
  return conflicts.length > 0 || places.length === 0 ? { conflicts } : { places }
}

/** The mutations of a write that commits as this version; for a claim, those of the candidates in these places. */
export function appliedMutations(
  write: Pick<AtomicWrite, 'mutations' | 'claim' | 'stamped'>,
  places: readonly number[] | undefined,
  version: number,
): readonly Mutation[] {
  const { claim, mutations, stamped } = write
  if (claim !== undefined) return places!.map((place) => claim.candidates[place]!.mutation)
  return stamped ? stampKeys(mutations, version) : mutations
}
