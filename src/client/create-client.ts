import { checkOptionNames } from '../arguments/option-names.ts'
import { checkWholeNumber } from '../arguments/option-values.ts'
import { whenAborted } from '../time/until-aborted.ts'
import { checkValueTypes, type ValueType } from '../value/value-type.ts'
import type {
  DeclarationsOf,
  ItemOf,
  LiveChange,
  LiveDeclaration,
  LiveDeclarations,
  LiveNames,
  MayOmitParams,
  ParamsInput,
} from '../wire/live.types.ts'
import { wireFormat } from '../wire/row.ts'
import type { RetryOptions } from './backoff.ts'
import { ChangeIterator } from './change-iterator.ts'
import { type Connection, type Follower, follow, type RequestHeaders } from './follow.ts'
import { LiveError } from './live-error.ts'
import { LiveResult } from './live-result.ts'
import { ResultReader } from './result-reader.ts'
import { SharedResult } from './shared-result.ts'

/** How a client asks its server. */
export interface ClientOptions {
  /**
   * Headers of each request, or a function that returns them, called for each connection, because a token may have changed. If
   * the server has another origin, a browser asks it first about unusual headers.
   */
  readonly headers?: RequestHeaders | (() => RequestHeaders | Promise<RequestHeaders>) | undefined
  /** Whether to send cookies, as in `fetch`: `include` sends them to another origin too. */
  readonly credentials?: RequestInit['credentials']
  /** The value types that the server uses. */
  readonly valueTypes?: readonly ValueType[] | undefined
  /** How soon to reconnect after a lost connection. */
  readonly retry?: RetryOptions | undefined
  /** Instead of the global `fetch`. */
  readonly fetch?: typeof fetch | undefined
}

/** How to follow changes. */
export interface FollowOptions {
  /** A versionstamp: follows the commits after it. Left out: those from now on. */
  readonly since?: string | undefined
  /** Aborting it ends the changes. */
  readonly signal?: AbortSignal | undefined
}

/** No argument where a declaration has no parameters, or needs none. */
type ParamsArguments<L extends LiveDeclaration> =
  MayOmitParams<L> extends true ? [params?: ParamsInput<L>] : [params: ParamsInput<L>]

type ChangesArguments<L extends LiveDeclaration> =
  MayOmitParams<L> extends true
    ? [params?: ParamsInput<L>, options?: FollowOptions]
    : [params: ParamsInput<L>, options?: FollowOptions]

/** Follows the live queries of a server. Make it with `createClient`. */
export interface LiveClient<D extends LiveDeclarations = LiveDeclarations> {
  /**
   * A live query of the server, by its name and parameters, which travel as JSON. Nothing is requested before you follow it.
   *
   * ```ts
   * const best = client.watch('podium', { places: 2 })
   * const [first] = await best.first()
   * first?.value.name // => 'Ada'
   * ```
   */
  watch<Name extends LiveNames<D, 'query'>>(
    name: Name,
    ...params: ParamsArguments<D[Name]>
  ): LiveResult<ItemOf<D[Name]>>

  /**
   * The changes of a declaration of the server, for `for await`: each once, in the order of the commits, even over lost
   * connections. The next one is fetched when you ask for it, so a backlog stays in the database. Leaving the loop ends it. It
   * throws a LiveError if the server refuses, with code `TRIMMED` if what came after `since` is no longer kept.
   *
   * ```ts
   * for await (const { id, value } of client.changes('scores', undefined, { since: '0'.repeat(20) })) {
   *   id // => 'ada'
   *   value?.score // => 9
   *   break
   * }
   * ```
   */
  changes<Name extends LiveNames<D, 'changes'>>(
    name: Name,
    ...args: ChangesArguments<D[Name]>
  ): AsyncIterableIterator<ItemOf<D[Name]>, undefined>

  /**
   * Ends everything that it follows, for good, with a LiveError of code `CLOSED`.
   *
   * ```ts
   * const other = createClient<typeof live>('http://localhost/live')
   * other.close()
   * other.watch('round').first() // => throws LiveError
   * ```
   */
  close(): void
}

/**
 * Makes a client for a server of live queries. `url` is the address before the names, without a query. Pass the type of the
 * server to type names, parameters and results. It runs in browsers, workers and Node.js.
 *
 * ```ts
 * const remote = createClient<typeof live>('https://example.com/live', {
 *   headers: () => ({ authorization: `Bearer ${token}` }),
 * })
 * const best = remote.watch('podium', { places: 2 })
 * ```
 *
 * Throws a TypeError or RangeError if an option is not valid.
 */
export function createClient<Server extends { readonly declarations: LiveDeclarations }>(
  url: string | URL,
  options: ClientOptions = {},
): LiveClient<DeclarationsOf<Server>> {
  return new Client(addressOf(url), options) as unknown as LiveClient<DeclarationsOf<Server>>
}

class Client {
  readonly #url: string
  readonly #connection: Connection
  readonly #format: ReturnType<typeof wireFormat>
  readonly #results = new Map<string, SharedResult>()
  readonly #changes = new Set<ChangeIterator<LiveChange>>()
  /** Once the client is closed: what everybody shares who follows something from then on. */
  #closed: SharedResult | undefined

  constructor(url: string, options: ClientOptions) {
    checkOptionNames(options, ['headers', 'credentials', 'valueTypes', 'retry', 'fetch'], 'createClient')
    const { headers, credentials, valueTypes = [], retry = {}, fetch = globalThis.fetch } = options
    checkOptionNames(retry, ['min', 'max'], 'retry')
    checkWholeNumber(retry.min, 'retry.min', 1)
    checkWholeNumber(retry.max, 'retry.max', 1)
    checkValueTypes(valueTypes, 'createClient')
    if (typeof fetch !== 'function')
      throw new TypeError('fetch of createClient must be a function like the global one')
    this.#url = url
    this.#format = wireFormat(valueTypes)
    this.#connection = {
      // A browser's `fetch` must be called as a function, not as a method of this object.
      fetch: (input, init) => fetch(input, init),
      headers: typeof headers === 'function' ? headers : () => headers,
      credentials,
      retry,
    }
  }

  watch(name: string, params?: unknown): LiveResult<unknown> {
    const url = this.#address(name, params)
    return new LiveResult(url.slice(this.#url.length + 1), (begin) => this.#shared(url, begin))
  }

  changes(name: string, params?: unknown, options: FollowOptions = {}): ChangeIterator<LiveChange> {
    const url = this.#address(name, params)
    checkOptionNames(options, ['since', 'signal'], 'changes')
    const { since, signal } = options
    const iterator: ChangeIterator<LiveChange> = new ChangeIterator(this.#format, async (follower, stop) => {
      this.#changes.add(iterator)
      // Only now: a signal that lives longer must not keep an iterator that nobody asks.
      const forget = signal && whenAborted(signal, leave)
      try {
        // It may have been closed, or aborted, before the first change was asked for.
        if (this.#closed !== undefined) throw closed()
        if (signal?.aborted) leave()
        await follow(this.#connection, url, follower, stop, since)
      } finally {
        this.#changes.delete(iterator)
        forget?.()
      }
    })
    const leave = () => iterator.close()
    if (this.#closed !== undefined) iterator.close(closed())
    if (signal?.aborted) leave()
    return iterator
  }

  close(): void {
    this.#closed ??= new SharedResult(
      new ResultReader(this.#format),
      async () => {},
      () => {},
    )
    this.#closed.close(closed())
    for (const result of this.#results.values()) result.close(closed())
    for (const iterator of this.#changes) iterator.close(closed())
  }

  #shared(url: string, begin: boolean): SharedResult | undefined {
    const known = this.#results.get(url) ?? this.#closed
    if (known !== undefined || !begin) return known
    const shared: SharedResult = new SharedResult(
      new ResultReader(this.#format),
      (follower: Follower, signal) => follow(this.#connection, url, follower, signal),
      () => {
        if (this.#results.get(url) === shared) this.#results.delete(url)
      },
    )
    this.#results.set(url, shared)
    return shared
  }

  #address(name: string, params: unknown): string {
    if (typeof name !== 'string' || name === '')
      throw new TypeError("Name a live query as it is declared: client.watch('podium')")
    const text = JSON.stringify(sorted(params))
    const query = text === undefined ? '' : `?params=${encodeURIComponent(text)}`
    return `${this.#url}/${encodeURIComponent(name)}${query}`
  }
}

function addressOf(url: string | URL): string {
  const text = String(url)
  if (/[?#]/.test(text))
    throw new TypeError('The address of createClient must not have a query: https://example.com/live')
  return text.replace(/\/+$/, '')
}

/**
 * Parameters in the order of their names, so that those who follow the same share a stream. Within them, an order may have a
 * meaning, as that of the fields of an `orderBy`.
 */
function sorted(params: unknown): unknown {
  if (params?.constructor !== Object) return params
  return Object.fromEntries(Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function closed(): LiveError {
  return new LiveError('CLOSED', 'The client was closed')
}
