import { DatabaseOpenError } from '../../../contract/errors.ts'
import { shownAddress } from './address.ts'
import { ConnectionLost, sqlState, toKvError } from './server-error.ts'

/** The error to report if a database cannot be opened. */
export function openError(address: string, error: unknown): unknown {
  if (error instanceof ConnectionLost && sqlState(error.cause) === '08P01') {
    const reason =
      'the pooler before the server takes no transactions: let it pool by transaction or by session'
    return new DatabaseOpenError(shownAddress(address), reason, { cause: error.cause })
  }
  const state = sqlState(error)
  if (state === undefined || state === '55P03') return toKvError(error)
  const reason =
    state === '42501'
      ? 'its user may not create what is missing there: grant CREATE on the database, give the schema to the user, or have its owner open it once with the same schemas'
      : `the server says (${state}): ${(error as Error).message}`
  return new DatabaseOpenError(shownAddress(address), reason, { cause: error })
}
