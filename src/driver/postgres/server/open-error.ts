import { DatabaseOpenError } from '../../../contract/errors.ts'
import { shownAddress } from './address.ts'
import { ConnectionLost, sqlState, toKvError } from './server-error.ts'

/** The error to report if a database cannot be opened: to read it alone, or to write it too. */
export function openError(address: string, error: unknown, readOnly: boolean): unknown {
  if (error instanceof ConnectionLost && sqlState(error.cause) === '08P01') {
    const reason =
      'the pooler before the server takes no transactions: let it pool by transaction or by session'
    return new DatabaseOpenError(shownAddress(address), reason, { cause: error.cause })
  }
  const state = sqlState(error)
  if (state === undefined || state === '55P03') return toKvError(error)
  const said = `the server says (${state}): ${(error as Error).message}`
  const reason = state === '42501' ? (readOnly ? mayNotRead : mayNotCreate) : said
  return new DatabaseOpenError(shownAddress(address), reason, { cause: error })
}

const mayNotRead = 'its user may not read it: grant USAGE on the schema, and SELECT on its tables'
const mayNotCreate =
  'its user may not create what is missing there: grant CREATE on the database, give the schema to the user, or have its owner open it once with the same schemas'
