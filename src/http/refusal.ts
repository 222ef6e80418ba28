import { isArgumentError } from '../arguments/argument-error.ts'
import type { Problem } from '../wire/event.ts'

const titles = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  410: 'Gone',
  414: 'URI Too Long',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
} as const

/** Why a request is answered with a problem, or a stream ends with one. The client sees it; of its cause, only the server is told. */
export class Refusal extends Error {
  readonly problem: Problem
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: keyof typeof titles,
    facts: Omit<Problem, 'status' | 'title'> = {},
    headers: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    super(titles[status], options)
    this.problem = { status, title: titles[status], ...facts }
    this.headers = headers
  }

  /** The refusal for an error. A fault that it has no words for is status 500, of which the client learns no more. */
  static of(error: unknown): Refusal {
    if (error instanceof Refusal) return error
    const { code, oldest } = (error ?? {}) as { readonly code?: unknown; readonly oldest?: unknown }
    if (code === 'DATABASE_CLOSED') return unavailable()
    if (code === 'LOG_TRIMMED' && typeof oldest === 'string')
      return new Refusal(410, {
        code,
        detail: 'The changes since then are no longer kept: follow the changes again, and then read the rows',
      })
    return new Refusal(500, {}, {}, { cause: error })
  }

  /**
   * The refusal for an error of a declared query. A QueryError, or an error about a key, an id, a limit or a cursor, is about its
   * parameters, so asking again would not help.
   */
  static ofQuery(error: unknown): Refusal {
    const { code } = (error ?? {}) as { readonly code?: unknown }
    const isOfQuery = code === 'QUERY'
    if (!isOfQuery && !isArgumentError(error)) return Refusal.of(error)
    const detail = 'The query does not take these parameters'
    return new Refusal(400, isOfQuery ? { code, detail } : { detail }, {}, { cause: error })
  }

  response(): Response {
    const { status } = this.problem
    const headers = {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...this.headers,
    }
    return new Response(JSON.stringify(this.problem), { status, headers })
  }
}

/** Seconds after which the client may ask again. */
const soon = '1'

export function unavailable(): Refusal {
  return new Refusal(503, {}, { 'retry-after': soon })
}
