import { DatabaseOpenError } from '../../../contract/errors.ts'
import { shownAddress } from './address.ts'
import { sqlState, toKvError } from './server-error.ts'

/** The error to report for what keeps a database from being opened. */
export function openError(address: string, error: unknown): unknown {
  const state = sqlState(error)
  if (state === undefined || state === '55P03') return toKvError(error)
  const reason =
    state === '42501'
      ? 'its user may not create a schema there: grant CREATE on the database, or create the schema and give it to the user'
      : `the server says (${state}): ${(error as Error).message}`
  return new DatabaseOpenError(shownAddress(address), reason, { cause: error })
}
