import { DatabaseOpenError } from '../../../contract/errors.ts'
import { shownAddress } from './address.ts'
import { sqlState, toKvError } from './server-error.ts'

/** The error to report if a database cannot be opened. */
export function openError(address: string, error: unknown): unknown {
  const state = sqlState(error)
  if (state === undefined || state === '55P03') return toKvError(error)
  const reason =
    state === '42501'
      ? 'its user may not create what is missing there: grant CREATE on the database, give the schema to the user, or have its owner open it once with the same schemas'
      : `the server says (${state}): ${(error as Error).message}`
  return new DatabaseOpenError(shownAddress(address), reason, { cause: error })
}
