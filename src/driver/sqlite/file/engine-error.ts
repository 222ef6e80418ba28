import { DatabaseClosedError, KvError, StorageError } from '../../../contract/errors.ts'
import { ReplacedMeanwhile } from './database-file.ts'

/** The engine's code of an error, such as `SQLITE_BUSY`; undefined for an error of another origin. */
export function engineCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  const { code } = error
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined
}

/** Whether another connection stood in the way, so that the same call may succeed a moment later. */
export function isBusy(error: unknown): boolean {
  const code = engineCode(error)
  return code !== undefined && /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)
}

/** All snapshots that may be open are. */
export class SnapshotsTaken extends Error {
  constructor(most: number) {
    super(`${most} snapshots of different states are open: await some before you start more`)
  }
}

/** Whether the same call may succeed a moment later. */
export function isPassing(error: unknown): boolean {
  return error instanceof SnapshotsTaken || error instanceof ReplacedMeanwhile || isBusy(error)
}

/** Whether the engine cannot work out what a statement says, as a field of a value that is not JSON. */
export function isUnanswerable(error: unknown): boolean {
  return engineCode(error) === 'SQLITE_ERROR'
}

/** Whether the engine has the file open to be read only. */
export function isReadOnly(error: unknown): boolean {
  return engineCode(error)?.startsWith('SQLITE_READONLY') === true
}

/** The error to report for what the engine threw. */
export function toKvError(error: unknown): unknown {
  if (error instanceof KvError) return error
  const code = engineCode(error)
  if (code === undefined) return error
  return new StorageError(code, (error as Error).message, { cause: error })
}

/** For calls on a connection that may have been closed while they waited. */
export function assertOpen(connection: { readonly open: boolean }): void {
  if (!connection.open) throw new DatabaseClosedError()
}
