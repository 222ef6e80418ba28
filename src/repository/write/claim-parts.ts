import type { FoundRow } from '../../commit/row.ts'
import type { Candidate, SetMutation } from '../../commit/write.ts'
import type { Key } from '../../contract/key.types.ts'
import type { SettledOutcome } from '../../store/row-store.ts'
import type { UntypedUpdate } from './update.ts'
import type { UntypedSelection } from './write-many.ts'

export interface UntypedClaim extends UntypedSelection {
  readonly set?: UntypedUpdate
  readonly expireIn?: number | undefined
}

export type CommittedOutcome = Extract<SettledOutcome, { readonly type: 'committed' }>

/** A claim with what it must have. */
export interface CheckedClaim extends UntypedClaim {
  readonly set: UntypedUpdate
  readonly limit: number
}

/** A row as found, and what it becomes. */
export interface PreparedRow extends Candidate {
  readonly mutation: SetMutation
  readonly decodedKey: Key
}

export function preparedRow({ key, version, expiresAt }: FoundRow, mutation: SetMutation): PreparedRow {
  return { key: mutation.key, version, expiresAt, mutation, decodedKey: key }
}
