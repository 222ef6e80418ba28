import type { FoundRow } from '../../commit/row.ts'
import { encodeStoredKey } from '../../key/codec.ts'
import { keyText } from '../../key/key-text.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import type { ClaimsInPlace, PatchRow, RowStore } from '../../store/row-store.ts'
import { mayBeMixed } from '../find/found-rows.ts'
import { type CheckedClaim, type CommittedOutcome, type PreparedRow, preparedRow } from './claim-parts.ts'
import { mayIncrement } from './increment.ts'
import { expiringIn } from './update.ts'
import { planWrite } from './write-many.ts'

/** The most rows to prepare in a commit, because other writers wait meanwhile. */
const mostInPlace = 16

/**
 * Claims few rows by a fast query, and prepares them in the commit, where nobody can come in between. The patch is checked before,
 * so that none of the user's functions runs there. Returns `null` if the rows must be prepared before, as well.
 */
export async function claimInPlace(
  store: RowStore,
  definition: AnyDefinition,
  asked: CheckedClaim,
): Promise<CommittedOutcome | null> {
  const { set, limit, expireIn } = asked
  const { claimsInPlace } = store
  if (store.validatesReads) return null
  if (claimsInPlace?.claimWays.get(definition) !== 'inPlace' || limit > mostInPlace) return null
  if (typeof set === 'function' || mayIncrement(set)) return null
  store.assertOpen()
  const query = planWrite(store, definition, asked, 'claimMany')
  if (query.plan.order.some(({ field }) => mayBeMixed(field))) return null
  const patches = claimsInPlace.mayClaimInPlace(query)
    ? checkedPatches(claimsInPlace, definition, set, limit)
    : null
  if (patches === null) return null
  const made: PreparedRow[] = []
  const prepare = (row: FoundRow, place: number): PreparedRow | null => {
    // A commit that is planned again knows the refused values of the last plan by their identity.
    const before = made[place]
    if (before !== undefined && isOf(before, row)) return before
    try {
      const now = preparedRow(row, expiringIn(patches[place]!(row, row.key), expireIn, store))
      made[place] = now
      return now
    } catch {
      // It throws again when it is prepared before the commit, and is reported from there.
      return null
    }
  }
  const claim = { query, since: null, candidates: [], prepare }
  const outcome = await store.commit({ checks: [], mutations: [], claim })
  // Also if it found none: only a read can tell that others have migrated the rows.
  return outcome.type === 'committed' ? outcome : null
}

function isOf({ key, version, expiresAt }: PreparedRow, row: FoundRow): boolean {
  const isSame = version === row.version && expiresAt === row.expiresAt
  return isSame && keyText(key) === keyText(encodeStoredKey(row.key))
}

/** A patch for each row, because a schema may output something else each time. */
function checkedPatches(
  claimsInPlace: ClaimsInPlace,
  definition: AnyDefinition,
  set: object,
  limit: number,
): PatchRow[] | null {
  const patches: PatchRow[] = []
  while (patches.length < limit) {
    const patch = claimsInPlace.checkPatch(definition, set)
    if (patch === 'later') claimsInPlace.claimWays.set(definition, 'never')
    if (typeof patch !== 'function') return null
    patches.push(patch)
  }
  return patches
}

/** Notes whether a claim found rows. After one that did not, the next only looks: whoever polls must not take the lock of writers. */
export function noteClaim({ claimsInPlace }: RowStore, definition: AnyDefinition, found: boolean): void {
  if (claimsInPlace === undefined || claimsInPlace.claimWays.get(definition) === 'never') return
  if (found) claimsInPlace.claimWays.set(definition, 'inPlace')
  else claimsInPlace.claimWays.delete(definition)
}
