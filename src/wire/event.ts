/**
 * An event of a stream of Server-Sent Events. Its name says what its data is:
 *
 * - `open` `{ heartbeat }`: how many milliseconds between two heartbeats; 0: none
 * - `result` `{ rows: [row, …] }` or `{ row }`: the whole result
 * - `delta` `[[from, count], row, …]`: the next result, with runs of rows of the one before
 * - `same` `{}`: the result is still the one with the id that the reader has sent
 * - `change` row: a change
 * - `renew` `{}`: the stream ends; request it again
 * - `problem` a problem of RFC 9457: the stream has failed
 *
 * Its id is where to continue: for a result, what identifies it; for a change, the versionstamp up to which the reader has all changes.
 */
export interface StreamEvent {
  readonly name: EventName
  readonly data: string
  readonly id: string | undefined
}

export type EventName = 'open' | 'result' | 'delta' | 'same' | 'change' | 'renew' | 'problem'

/** An event as text. `data` is JSON, which has no line ends. */
export function eventText(name: EventName, data: string, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${data}\n\n`
}

/** Why a request or a stream has failed, in the form of RFC 9457: `application/problem+json`. */
export interface Problem {
  /** The status of the response; for a stream that had already begun, the status it would have had. */
  readonly status: number
  /** The status in words. */
  readonly title: string
  /** What is wrong, for whoever made the request. */
  readonly detail?: string
  /** `LOG_TRIMMED`: what came after a versionstamp is no longer kept. `UNKNOWN_VERSION`: there is no such versionstamp yet. */
  readonly code?: string
  /** What the schema finds wrong with the parameters. */
  readonly issues?: readonly { readonly message: string; readonly path?: readonly PropertyKey[] }[]
}
