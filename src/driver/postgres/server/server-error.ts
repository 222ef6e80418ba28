import { ConnectionError, DatabaseBusyError, KvError, StorageError } from '../../../contract/errors.ts'

/** The connection ended before the answer: nobody here knows whether the server did what was asked. */
export class ConnectionLost extends Error {
  constructor(cause: unknown) {
    super('The connection to the server has ended', { cause })
  }
}

/** The SQLSTATE of an error from the server; undefined for any other error. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  const { code } = error
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && 'severity' in error ? code : undefined
}

/** Codes with which the server ends a connection, or refuses one for now: shut down, crashed, starting, or a time-out. */
const endings = new Set(['57P01', '57P02', '57P03', '57P05', '25P03', '25P04', '53300'])

/** Whether the connection failed, but may succeed a moment later. */
export function isUnreached(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined) return state.startsWith('08') || endings.has(state)
  return !(error instanceof KvError || error instanceof TypeError || error instanceof RangeError)
}

/** Whether this error means that the connection is gone. */
export function isLoss(error: unknown): boolean {
  if (isUnreached(error)) return true
  const { severity } = error as { readonly severity?: unknown }
  return severity === 'FATAL' || severity === 'PANIC'
}

/** Whether the server ended a transaction because it was open, or idle, for too long. */
export function isTimedOut(error: unknown): boolean {
  const state = sqlState(error instanceof ConnectionLost ? error.cause : error)
  return state === '25P03' || state === '25P04'
}

/** Whether a statement did not begin because an earlier one in its transaction failed. */
export function isBehindFailure(error: unknown): boolean {
  return sqlState(error) === '25P02' || isForgotten(error)
}

/** The error of a statement that did not begin because one before it has failed. */
export function notBegun(cause: unknown): Error {
  return Object.assign(new Error('A statement before this one has failed', { cause }), {
    code: '25P02',
    severity: 'ERROR',
  })
}

/** Whether a statement did not begin because its prepared name is missing or already taken: a pooler has changed servers. */
export function isForgotten(error: unknown): boolean {
  const state = sqlState(error)
  return state === '26000' || state === '42P05'
}

/** Whether the server refuses writes: a standby that is not promoted yet, or a former primary. */
export function isStandby(error: unknown): boolean {
  return sqlState(error) === '25006'
}

/** Whether the server rolled back a transaction in favour of others, so that it may run again. */
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

/** The error to report if `kv_meta` has no row. Opening writes it as the log says. */
export function withoutMeta(options?: ErrorOptions): StorageError {
  const message =
    'The row of kv_meta, which has the newest version, is missing: open the database once more without readOnly, which puts it back'
  return new StorageError('XX001', message, options)
}

/** Limits that our rows may exceed, and the functions of the server that report them. */
const tooLarge =
  'The indexed fields of a row are larger than an index of PostgreSQL holds, about 2,700 bytes with the key'
const indexRoutines = /^_bt_|^index_form_tuple/

/** The error to report for an error from the server, after waiting this many milliseconds. */
export function toKvError(error: unknown, waited = 0): unknown {
  if (error instanceof KvError) return error
  if (error instanceof ConnectionLost) return new ConnectionError(false, { cause: error.cause })
  const state = sqlState(error)
  if (state === undefined) return error
  if (isBusy(error)) return new DatabaseBusyError(waited, { cause: error })
  const { message, routine, column } = error as Error & {
    readonly routine?: unknown
    readonly column?: unknown
  }
  // A commit adds to the version of `kv_meta`.
  if (state === '23502' && column === 'version') return withoutMeta({ cause: error })
  const isOfIndex = state === '54000' && indexRoutines.test(String(routine))
  return new StorageError(state, isOfIndex ? tooLarge : message, { cause: error })
}
