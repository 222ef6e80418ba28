import { KvError, ValidationError } from '../contract/errors.ts'

/** An error response: an HTTP status, and a code for the page to decide on. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  /** Further members of the JSON response. */
  readonly facts: { readonly [name: string]: unknown }

  constructor(status: number, code: string, message: string, facts: Refusal['facts'] = {}) {
    super(message)
    this.status = status
    this.code = code
    this.facts = facts
  }
}

const statuses: { readonly [code: string]: number } = {
  VALIDATION: 422,
  UNIQUE_CONSTRAINT: 409,
  NOT_FOUND: 404,
  QUERY: 400,
  LOG_TRIMMED: 410,
  MIGRATION: 409,
  DATABASE_BUSY: 503,
  CONNECTION: 503,
}

/** The response for an error. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof KvError) {
    const { code, message } = error
    const facts = error instanceof ValidationError ? { issues: error.issues.map(issueFacts) } : {}
    return new Refusal(statuses[code] ?? 500, code, message, facts)
  }
  if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError)
    return new Refusal(400, 'ARGUMENT', error.message)
  return new Refusal(500, 'FAILURE', error instanceof Error ? error.message : String(error))
}

function issueFacts({ message, path = [] }: ValidationError['issues'][number]) {
  return { message, path: path.map((step) => String(typeof step === 'object' ? step.key : step)) }
}
