import { DatabaseClosedError, KvError, StorageError } from '../../../contract/errors.ts'
import { ReplacedMeanwhile } from './database-file.ts'

/** The engine's code of an error, such as `SQLITE_BUSY`; undefined for any other error. */
export function engineCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  const { code } = error
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined
}

/** Whether another connection was in the way, so that the same call may succeed a moment later. */
export function isBusy(error: unknown): boolean {
  const code = engineCode(error)
  return code !== undefined && /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)
}

/** As many snapshots are open as may be. */
export class SnapshotsTaken extends Error {
  constructor(most: number) {
    super(`${most} snapshots of different states are open: await some before you start more`)
  }
}

/** Whether the same call may succeed a moment later. */
export function isPassing(error: unknown): boolean {
  return error instanceof SnapshotsTaken || error instanceof ReplacedMeanwhile || isBusy(error)
}

/** Whether the engine cannot evaluate an expression, such as a field of a value that is not JSON. */
export function isUnanswerable(error: unknown): boolean {
  return engineCode(error) === 'SQLITE_ERROR'
}

/** Whether the engine has the file open read-only. */
export function isReadOnly(error: unknown): boolean {
  return engineCode(error)?.startsWith('SQLITE_READONLY') === true
}

/** What is told when a database that was opened with `readOnly` is to be changed. `outcome`: what was not done. */
export function openedToRead(outcome: string, options?: ErrorOptions): StorageError {
  return new StorageError('SQLITE_READONLY', `The database was opened with readOnly: ${outcome}`, options)
}

/** The error to report for an error of the engine. */
export function toKvError(error: unknown): unknown {
  if (error instanceof KvError) return error
  const code = engineCode(error)
  if (code === undefined) return error
  return new StorageError(code, (error as Error).message, { cause: error })
}

/** For calls whose connection may have been closed while they waited. */
export function assertOpen(connection: { readonly open: boolean }): void {
  if (!connection.open) throw new DatabaseClosedError()
}
