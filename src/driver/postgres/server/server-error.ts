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

/** Codes with which the server ends a connection, or takes none yet: shut down, crashed, starting, or tired of one that waits. */
const endings = new Set(['57P01', '57P02', '57P03', '57P05', '25P03', '25P04', '53300'])

/** Whether no connection has come about, and one may a moment later. */
export function isUnreached(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined) return state.startsWith('08') || endings.has(state)
  return !(error instanceof KvError || error instanceof TypeError || error instanceof RangeError)
}

/** Whether the connection is gone with this error. */
export function isLoss(error: unknown): boolean {
  if (isUnreached(error)) return true
  const { severity } = error as { readonly severity?: unknown }
  return severity === 'FATAL' || severity === 'PANIC'
}

/** Whether the server has ended a transaction since it was open for too long, or waited for too long in it. */
export function isTimedOut(error: unknown): boolean {
  const state = sqlState(error instanceof ConnectionLost ? error.cause : error)
  return state === '25P03' || state === '25P04'
}

/** Whether a statement has not begun, since one before it in its transaction has failed. */
export function isBehindFailure(error: unknown): boolean {
  return sqlState(error) === '25P02' || isForgotten(error)
}

/** Whether a statement has not begun because its prepared name is missing, or already taken: a pooler has changed servers. */
export function isForgotten(error: unknown): boolean {
  const state = sqlState(error)
  return state === '26000' || state === '42P05'
}

/** Whether the server takes no writes: it is a standby that was not promoted yet, or was the primary until now. */
export function isStandby(error: unknown): boolean {
  return sqlState(error) === '25006'
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

/** Whether a statement names a table or a function that is not there. */
export function isMissing(error: unknown): boolean {
  const state = sqlState(error)
  return state === '42P01' || state === '42883'
}

export function isUniqueViolation(error: unknown): boolean {
  return sqlState(error) === '23505'
}

/** A limit that a row of ours may meet, and the functions of the server that tell it. */
const tooLarge =
  'The indexed fields of a row are larger than an index of PostgreSQL holds, about 2,700 bytes with the key'
const indexRoutines = /^_bt_|^index_form_tuple/

/** The error to report for what the server has answered, after a wait of so many milliseconds. */
export function toKvError(error: unknown, waited = 0): unknown {
  if (error instanceof KvError) return error
  if (error instanceof ConnectionLost) return new ConnectionError(false, { cause: error.cause })
  const state = sqlState(error)
  if (state === undefined) return error
  if (isBusy(error)) return new DatabaseBusyError(waited, { cause: error })
  const { message, routine } = error as Error & { readonly routine?: unknown }
  const isOfIndex = state === '54000' && indexRoutines.test(String(routine))
  return new StorageError(state, isOfIndex ? tooLarge : message, { cause: error })
}
