import { ConnectionError, DatabaseBusyError, KvError, StorageError } from '../../../contract/errors.ts'

/** The connection has ended before the answer came: whether the server has done what was asked, nobody here knows. */
export class ConnectionLost extends Error {
  constructor(cause: unknown) {
    super('The connection to the server has ended', { cause })
  }
}

/** The SQLSTATE of an error that the server has answered with; undefined for one of another origin. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  const { code } = error
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && 'severity' in error ? code : undefined
}

/** Codes with which the server ends a connection, or takes none yet: shut down, crashed, or starting. */
const endings = new Set(['57P01', '57P02', '57P03', '57P05', '25P03', '53300'])

/** Whether the connection is gone with this error, or none came about. */
export function isLoss(error: unknown): boolean {
  const state = sqlState(error)
  if (state === undefined) return !(error instanceof KvError || error instanceof TypeError)
  return state.startsWith('08') || endings.has(state)
}

/** Whether the server has undone all of a transaction for the sake of others, so that it may be run again. */
export function isPassing(error: unknown): boolean {
  const state = sqlState(error)
  return state === '40001' || state === '40P01'
}

/** Whether others have held a lock for longer than `lock_timeout`. */
export function isBusy(error: unknown): boolean {
  return sqlState(error) === '55P03'
}

export function isUniqueViolation(error: unknown): boolean {
  return sqlState(error) === '23505'
}

/** The one limit that a statement of ours may meet. */
const tooLarge =
  'A row has more in the fields of an index than one of PostgreSQL holds, about 2,700 bytes with the key'

/** The error to report for what the server has answered, after a wait of so many milliseconds. */
export function toKvError(error: unknown, waited = 0): unknown {
  if (error instanceof KvError) return error
  if (error instanceof ConnectionLost) return new ConnectionError(false, { cause: error.cause })
  const state = sqlState(error)
  if (state === undefined) return error
  if (isBusy(error)) return new DatabaseBusyError(waited, { cause: error })
  if (state === '54000') return new StorageError(state, tooLarge, { cause: error })
  return new StorageError(state, (error as Error).message, { cause: error })
}
