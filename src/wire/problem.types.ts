/** Why a request or a stream has failed, as RFC 9457 has it: `application/problem+json`. */
export interface Problem {
  /** The status of the response; of a stream that had begun, what it would have been. */
  readonly status: number
  /** The status in words. */
  readonly title: string
  /** What is wrong, for whoever has made the request. */
  readonly detail?: string
  /** `LOG_TRIMMED`: what came after a versionstamp is no longer kept. `UNKNOWN_VERSION`: there is no such versionstamp yet. */
  readonly code?: string
  /** What the schema of the parameters finds wrong with them. */
  readonly issues?: readonly { readonly message: string; readonly path?: readonly PropertyKey[] }[]
}
