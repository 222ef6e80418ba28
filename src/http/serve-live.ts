// Who may ask, for what, and over which stream is one walk through a request, whose parts share the count of streams.
import { checkNames } from '../arguments/option-names.ts'
import { isPlainObject } from '../value/plain-object.ts'
import type { LiveChange, LiveDeclaration, LiveDeclarations } from '../wire/live.types.ts'
import { wireFormat } from '../wire/row.ts'
import { askedOf } from './asked.ts'
import { ChangeEvents } from './change-events.ts'
import type { EventSource } from './event-body.ts'
import { EventBody } from './event-body.ts'
import { Refusal, unavailable } from './refusal.ts'
import { ResultEvents, resultText, writeResult } from './result-events.ts'
import { RowWriter } from './row-writer.ts'
import {
  type CheckedOptions,
  checkServeOptions,
  type LiveGrant,
  type LiveRequest,
  type ServeLiveOptions,
} from './serve-options.ts'
import { StreamCount } from './stream-count.ts'

/** Serves your declarations. Make it with `serveLive`. */
export interface LiveServer<D extends LiveDeclarations> {
  /** Its declarations, by name. */
  readonly declarations: D
  /** How many streams are open. */
  readonly streams: number
  /**
   * Answers a request, whose path ends in the name of a declaration, with `params` as JSON in its query: a stream of Server-Sent
   * Events or, for `Accept: application/json`, the current result. You may use this function without the server.
   *
   * ```ts
   * const request = new Request('http://localhost/live/podium?params={"places":2}', {
   *   headers: { accept: 'application/json' },
   * })
   * const response = await live.fetch(request)
   * response.status // => 200
   * ```
   */
  readonly fetch: (request: Request) => Promise<Response>
  /**
   * Ends every stream, and answers later requests with status 503. Call it before you close a server, which waits for its
   * responses. Clients ask again, and continue when a server answers.
   *
   * ```ts
   * const old = serveLive({ podium }, { authorize: () => true })
   * old.close()
   * const answer = await old.fetch(new Request('http://localhost/live/podium'))
   * answer.status // => 503
   * ```
   */
  close(): void
}

/**
 * Serves declared live queries, keys and changes to clients on the web, with a function from a `Request` to a `Response`, which
 * most frameworks take. For servers of Node.js, use `nodeHandler`.
 *
 * ```ts
 * const server = serveLive({ podium, scores }, { authorize: () => true })
 * const missing = await server.fetch(new Request('http://localhost/live/salaries'))
 * missing.status // => 404
 * ```
 *
 * Throws a TypeError or RangeError if an option is not valid.
 */
export function serveLive<const D extends LiveDeclarations>(
  declarations: D,
  options: ServeLiveOptions<D>,
): LiveServer<D> {
  return new Serving(declarations, options)
}

class Serving<D extends LiveDeclarations> implements LiveServer<D> {
  readonly declarations: D
  readonly #options: CheckedOptions<D>
  readonly #writer: RowWriter
  readonly #count: StreamCount
  readonly #bodies = new Set<EventBody>()
  #isClosed = false

  constructor(declarations: D, options: ServeLiveOptions<D>) {
    checkDeclarations(declarations)
    this.declarations = Object.freeze({ ...declarations })
    this.#options = checkServeOptions(options)
    this.#writer = new RowWriter(wireFormat(this.#options.valueTypes))
    this.#count = new StreamCount(this.#options.streams, this.#options.streamsPerClient)
  }

  get streams(): number {
    return this.#count.total
  }

  readonly fetch = async (request: Request): Promise<Response> => {
    try {
      return await this.#answer(request)
    } catch (error) {
      const refusal = Refusal.of(error)
      if ('cause' in refusal) void this.#report(refusal.cause, request)
      return refusal.response()
    }
  }

  /** What `onError` throws must not keep a client from its answer, nor end the process. */
  async #report(error: unknown, request: Request): Promise<void> {
    try {
      await this.#options.onError(error, request)
    } catch (failure) {
      console.error(failure, error)
    }
  }

  close(): void {
    this.#isClosed = true
    for (const body of this.#bodies) body.renew()
  }

  async #answer(request: Request): Promise<Response> {
    if (this.#isClosed) throw unavailable()
    if (request.method !== 'GET') throw new Refusal(405, {}, { allow: 'GET' })
    const asked = await askedOf(request, this.declarations)
    const isRefused = asked instanceof Refusal
    const query = isRefused ? { name: null, params: undefined } : { name: asked.name, params: asked.params }
    const grant = await this.#authorized(request, query as LiveRequest<D>)
    if (grant instanceof Response) return grant
    // Only now: an unauthorized client learns nothing of what exists.
    if (isRefused) throw asked
    const { declaration, isStream, since } = asked
    if (this.#isClosed || request.signal.aborted) throw unavailable()
    const params = 'params' in grant ? grant.params : asked.params
    const end = this.#count.begin(grant.client)
    try {
      if (isStream) return this.#stream(request, declaration, params, since, end)
      const response = await this.#current(request, declaration, params)
      end()
      return response
    } catch (error) {
      end()
      throw Refusal.ofQuery(error)
    }
  }

  async #authorized(request: Request, query: LiveRequest<D>): Promise<Response | LiveGrant<unknown>> {
    const answer = await this.#options.authorize(request, query)
    if (answer === true) return {}
    if (answer instanceof Response) return answer
    // An empty list of permissions is no grant.
    if (!isPlainObject(answer)) throw new Refusal(403)
    // Anything but a grant lets nobody in, such as a user object that was found.
    checkNames(answer, ['params', 'client'], 'a grant', 'property')
    const { client } = answer
    if (client !== undefined && typeof client !== 'string')
      throw new TypeError('client of a grant must be a text, such as the id of a user')
    return answer
  }

  #stream(
    request: Request,
    declaration: LiveDeclaration,
    params: unknown,
    since: string | undefined,
    end: () => void,
  ): Response {
    const { heartbeat, lifetime } = this.#options
    const { signal, abort } = ending()
    const source = this.#source(declaration, params, since, signal)
    const body: EventBody = new EventBody(source, {
      heartbeat,
      lifetime,
      signal: request.signal,
      onError: (error) => void this.#report(error, request),
      onEnd: () => {
        abort()
        end()
        this.#bodies.delete(body)
      },
    })
    this.#bodies.add(body)
    return new Response(body.stream, {
      headers: {
        'content-type': 'text/event-stream',
        // Caches must not keep it; proxies must neither buffer nor compress it.
        'cache-control': 'no-store, no-transform',
        'x-accel-buffering': 'no',
      },
    })
  }

  #source(
    declaration: LiveDeclaration,
    params: unknown,
    since: string | undefined,
    signal: AbortSignal,
  ): EventSource {
    if (declaration.kind === 'changes') {
      const { open, filter } = declaration
      return new ChangeEvents(
        open(params as never, { since, signal } as never) as ReadableStream<LiveChange>,
        this.#writer,
        since,
        (change) => filter === undefined || isSent(filter(change as never, params as never)),
      )
    }
    return new ResultEvents(
      declaration.open(params as never, { signal } as never),
      this.#writer,
      since ?? null,
    )
  }

  /** The current result. */
  async #current(request: Request, { open }: LiveDeclaration, params: unknown): Promise<Response> {
    const { signal, abort } = ending()
    const reader = (open(params as never, { signal } as never) as ReadableStream<unknown>).getReader()
    try {
      const { done, value } = await reader.read()
      if (done) throw unavailable()
      const result = await writeResult(this.#writer, value)
      const headers = { etag: `"${result.id}"`, 'cache-control': 'private, no-cache', vary: 'accept' }
      if (isKnown(headers.etag, request)) return new Response(null, { status: 304, headers })
      return new Response(resultText(result), { headers: { 'content-type': 'application/json', ...headers } })
    } finally {
      abort()
      reader.cancel().catch(() => {})
    }
  }
}

/** What a filter has returned. Anything but a boolean is a fault: it must not send what should stay here. */
function isSent(returned: unknown): boolean {
  if (typeof returned === 'boolean') return returned
  throw new TypeError('filter of liveChanges must return whether to send the change: true or false')
}

/** Whether the client has it, by the weak comparison of RFC 9110: a proxy that compresses an answer weakens its tag. */
function isKnown(etag: string, request: Request): boolean {
  const known = request.headers.get('if-none-match')?.split(/\s*,\s*/) ?? []
  return known.some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)
}

/** The signal that tells `open` that its stream is over. */
function ending(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}

function checkDeclarations(declarations: LiveDeclarations): void {
  if (typeof declarations !== 'object' || declarations === null)
    throw new TypeError('serveLive takes declarations by name, such as { podium: liveQuery(…) }')
  for (const [name, declaration] of Object.entries(declarations)) {
    const { kind, open } = (declaration ?? {}) as Partial<LiveDeclaration>
    if ((kind !== 'query' && kind !== 'changes') || typeof open !== 'function')
      throw new TypeError(`What serveLive serves as '${name}' must be made with liveQuery or liveChanges`)
    if (name === '' || name.includes('/'))
      throw new TypeError(`'${name}' cannot name a live query: the name is the last part of a path`)
  }
}
