import { inspect } from 'node:util'

const nameAndMessage = ({ name, message }: Error): unknown => `${name}: ${message}`

/** The text of whatever was thrown, even if it throws when it is asked. `of`: the text of an Error; left out: its name and message. */
export function errorText(error: unknown, of = nameAndMessage): string {
  try {
    const text = typeof error === 'string' ? error : error instanceof Error ? of(error) : inspect(error)
    if (typeof text === 'string') return text
  } catch {
    // It has none.
  }
  return 'An error that has no text'
}

/** Reports an error that nobody awaits, as a process warning. */
export function emitErrorWarning(
  error: unknown,
  warning: { readonly type: string; readonly code: string },
): void {
  process.emitWarning(
    errorText(error, ({ stack, message }) => stack ?? message),
    warning,
  )
}
