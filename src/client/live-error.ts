import type { Problem } from '../wire/event.ts'

/**
 * - `CONNECTION`: there is no connection, or the server cannot answer now. The client tries again.
 * - `REFUSED`: the server refuses, as `problem` says.
 * - `TRIMMED`: the server's log no longer keeps, or does not know, the position from which changes were to continue.
 * - `VALUE`: a value cannot be read, for example because its type is not in `valueTypes`.
 * - `CLOSED`: the client was closed.
 */
export type LiveErrorCode = 'CONNECTION' | 'REFUSED' | 'TRIMMED' | 'VALUE' | 'CLOSED'

/** Why a client cannot follow a live query or changes. */
export class LiveError extends Error {
  override readonly name = 'LiveError'
  /** What your code decides on. */
  readonly code: LiveErrorCode
  /** What the server says about it. */
  readonly problem: Problem | undefined

  constructor(
    code: LiveErrorCode,
    message: string,
    options?: ErrorOptions & { readonly problem?: Problem | undefined },
  ) {
    super(message, options)
    this.code = code
    this.problem = options?.problem
  }
}

/** Statuses after which to ask again, besides those of a server that cannot answer. */
const passing = new Set([408, 425, 429])

/** The error for a problem that the server reports. */
export function problemError(problem: Problem): LiveError {
  const { status, title, detail, code } = problem
  const text = `The server answers ${status} ${title}${detail === undefined ? '' : `: ${detail}`}`
  if (status === 410 && code !== undefined) return new LiveError('TRIMMED', text, { problem })
  const isPassing = status >= 500 || passing.has(status)
  return new LiveError(isPassing ? 'CONNECTION' : 'REFUSED', text, { problem })
}
