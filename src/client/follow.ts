import { longestTimer } from '../time/longest-timer.ts'
import { untilAborted } from '../time/until-aborted.ts'
import type { Problem, StreamEvent } from '../wire/event.ts'
import { Backoff, type RetryOptions } from './backoff.ts'
import { EventReader } from './event-reader.ts'
import { LiveError, problemError } from './live-error.ts'

/** Headers, as `fetch` takes them. */
export type RequestHeaders = NonNullable<RequestInit['headers']>

/** How a client asks its server. */
export interface Connection {
  readonly fetch: typeof fetch
  readonly headers: () => RequestHeaders | undefined | Promise<RequestHeaders | undefined>
  readonly credentials: RequestInit['credentials']
  readonly retry: RetryOptions
}

/** The receiver of a stream. */
export interface Follower {
  /** Takes an event; once it has, the stream continues from that event's id. If it throws, the whole stream is requested again. */
  take(event: StreamEvent): void | Promise<void>
  /** The connection is lost, and will be tried again. */
  lost(error: LiveError): void
}

/** How many milliseconds to wait for an answer, and for a heartbeat until the server has said how often it sends one. */
const longestSilence = 45_000
/** Time for two heartbeats, and for the network. */
const silenceOf = (heartbeat: number) => 2 * heartbeat + 5_000

/**
 * Follows a stream, over as many connections as it takes, until the signal is aborted. Rejects with a LiveError if the server
 * refuses, or if the follower throws one. `since` says where to continue.
 */
export async function follow(
  connection: Connection,
  url: string,
  follower: Follower,
  signal: AbortSignal,
  since?: string,
): Promise<void> {
  const backoff = new Backoff(connection.retry)
  const place: Place = { id: since }
  while (!signal.aborted) {
    let wait: number
    try {
      await followOnce(connection, url, follower, signal, place, backoff)
      wait = backoff.soon()
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof LiveError && error.code !== 'CONNECTION') throw error
      follower.lost(error instanceof LiveError ? error : connectionError(error))
      wait = Math.max(backoff.next(), error instanceof Later ? error.wait : 0)
    }
    await sleep(wait, signal)
  }
}

/** Where to continue. */
interface Place {
  id: string | undefined
}

/** Follows one connection until the server ends it. */
async function followOnce(
  connection: Connection,
  url: string,
  follower: Follower,
  signal: AbortSignal,
  place: Place,
  backoff: Backoff,
): Promise<void> {
  const watchdog = new Watchdog(signal)
  let reader: EventReader | undefined
  try {
    watchdog.expect(longestSilence)
    const response = await ask(connection, url, place.id, watchdog.signal)
    reader = new EventReader(await bodyOf(response))
    let silence = longestSilence
    while (true) {
      const event = await reader.next(() => watchdog.expect(silence))
      watchdog.rest()
      if (signal.aborted) return
      if (event === null) throw new LiveError('CONNECTION', 'The connection was lost')
      const { name, data } = event
      if (name === 'renew') return
      if (name === 'problem') throw problemError(JSON.parse(data) as Problem)
      if (name === 'open') {
        const { heartbeat } = JSON.parse(data) as { readonly heartbeat: number }
        silence = heartbeat > 0 ? silenceOf(heartbeat) : 0
        backoff.connected()
      } else {
        await taken(follower, event, place)
      }
    }
  } finally {
    watchdog.end()
    reader?.cancel()
  }
}

async function taken(follower: Follower, event: StreamEvent, place: Place): Promise<void> {
  try {
    await follower.take(event)
    place.id = event.id ?? place.id
  } catch (error) {
    place.id = undefined
    throw error
  }
}

async function ask(
  { fetch, headers, credentials }: Connection,
  url: string,
  since: string | undefined,
  signal: AbortSignal,
): Promise<Response> {
  const all = new Headers(await untilAborted(Promise.resolve(headers()), signal))
  all.set('accept', 'text/event-stream')
  if (since !== undefined) all.set('last-event-id', since)
  return fetch(url, { headers: all, signal, cache: 'no-store', ...(credentials && { credentials }) })
}

async function bodyOf(response: Response): Promise<ReadableStream<Uint8Array>> {
  const type = response.headers.get('content-type') ?? ''
  if (response.ok && response.body !== null && type.startsWith('text/event-stream')) return response.body
  const { status, statusText: title } = response
  const told = type.startsWith('application/problem+json') ? await response.json().catch(() => ({})) : {}
  const problem: Problem = Object.assign({ status, title }, told, { status })
  await response.body?.cancel().catch(() => {})
  if (response.ok)
    throw new LiveError('REFUSED', `The server answers with ${type || 'nothing'}: is the address right?`)
  const error = problemError(problem)
  const seconds = Number(response.headers.get('retry-after'))
  throw error.code === 'CONNECTION' && seconds > 0 ? new Later(error, seconds * 1_000) : error
}

/** An error after which the server asks for some milliseconds without requests. */
class Later extends LiveError {
  readonly wait: number

  constructor({ message, problem }: LiveError, wait: number) {
    super('CONNECTION', message, { problem })
    this.wait = wait
  }
}

function connectionError(cause: unknown): LiveError {
  return new LiveError('CONNECTION', 'There is no connection to the server', { cause })
}

/** Gives up a connection that has gone silent. */
class Watchdog {
  readonly #controller = new AbortController()
  readonly #outer: AbortSignal
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(outer: AbortSignal) {
    this.#outer = outer
    outer.addEventListener('abort', this.#abort)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** `silence`: the longest in milliseconds; 0 for no limit. */
  expect(silence: number): void {
    clearTimeout(this.#timer)
    if (silence > 0) this.#timer = setTimeout(this.#abort, Math.min(silence, longestTimer))
  }

  rest(): void {
    clearTimeout(this.#timer)
  }

  end(): void {
    this.rest()
    this.#outer.removeEventListener('abort', this.#abort)
    this.#abort()
  }

  readonly #abort = (): void => this.#controller.abort()
}

/** Waits that long, or as long as a timer can: waking early only means asking again. */
function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, Math.min(milliseconds, longestTimer))
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  })
}
