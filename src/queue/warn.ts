import { DatabaseClosedError } from '../contract/errors.ts'

/** Reports a failure that nobody awaits, as a process warning. */
export function warn(error: unknown): void {
  if (error instanceof DatabaseClosedError) return
  process.emitWarning(error instanceof Error ? (error.stack ?? error.message) : String(error), {
    type: 'QueueWarning',
    code: 'QUEUE_WORKER',
  })
}
