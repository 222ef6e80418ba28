import type { Problem } from '../wire/event.ts'

/**
 * - `CONNECTION`: there is no connection, or the server is not able to answer now. It is tried again.
 * - `REFUSED`: the server does not answer this, as `problem` says.
 * - `TRIMMED`: changes were to go on from what the server's log keeps no more, or does not know.
 * - `VALUE`: what came cannot be read: a value is of a type that is none of `valueTypes`.
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
