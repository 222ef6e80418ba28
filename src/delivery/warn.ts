import { DatabaseClosedError } from '../contract/errors.ts'
import { emitErrorWarning } from './error-text.ts'

/** Reports a failure that nobody awaits, as a process warning. */
export function warn(error: unknown): void {
  if (error instanceof DatabaseClosedError) return
  emitErrorWarning(error, {
    type: 'QueueWarning',
    code: 'QUEUE_LISTENER',
  })
}
