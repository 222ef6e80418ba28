import { checkOptionNames } from '../arguments/option-names.ts'
import { checkWholeNumber } from '../arguments/option-values.ts'
import { longestTimer } from '../time/longest-timer.ts'
import type { ValueType } from '../value/value-type.ts'
import { checkValueTypes } from '../value/value-type.ts'
import type { LiveDeclarations, ParamsOutput } from '../wire/live.types.ts'

/**
 * What a client asks for: the name of a declaration, and parameters that its schema has checked. If there is no such declaration, or the
 * parameters do not fit, `name` is null: only those whom you let through are told what is wrong.
 */
export type LiveRequest<D extends LiveDeclarations> =
  | {
      [Name in keyof D & string]: {
        /** That of the declaration. */
        readonly name: Name
        /** As its schema has output them; undefined if it has none. */
        readonly params: ParamsOutput<D[Name]>
      }
    }[keyof D & string]
  | { readonly name: null; readonly params: undefined }

/** What a client may see. */
export interface LiveGrant<Params> {
  /** Parameters instead of those that it sent, for example narrowed to its own rows. They are not checked again. */
  readonly params?: Params
  /** Whose stream it is, for example the id of a user: `streamsPerClient` counts by it. */
  readonly client?: string
}

/**
 * The answer of `authorize`: `true` or a grant lets a request through; a Response, such as one with status 401, answers it;
 * anything else refuses it with status 403.
 */
export type LiveAnswer<Params> = boolean | null | undefined | LiveGrant<Params> | Response

/** How to serve live queries. */
export interface ServeLiveOptions<D extends LiveDeclarations> {
  /**
   * Decides on each request, and again each time a client comes back. Pass `() => true` to let everybody follow everything. It also
   * decides on requests that cannot be answered, as `{ name: null }`: only those whom it lets through learn why.
   *
   * ```ts
   * const authorize = (request: Request) => request.headers.get('authorization') === `Bearer ${token}`
   * authorize(new Request('http://localhost/live/podium')) // => false
   * ```
   */
  readonly authorize: (
    request: Request,
    query: LiveRequest<D>,
  ) => LiveAnswer<LiveRequest<D>['params']> | Promise<LiveAnswer<LiveRequest<D>['params']>>
  /** The value types of the database, if your results have any. Give clients the same. */
  readonly valueTypes?: readonly ValueType[] | undefined
  /** How many milliseconds between two heartbeats of a stream. Default 15,000; 0: none. */
  readonly heartbeat?: number | undefined
  /**
   * After how many milliseconds a stream ends, up to a fifth sooner. Its client asks again, and gets what it lacks. So
   * `authorize` runs again, and dead connections are dropped. Default 900,000, a quarter of an hour; 0: never.
   */
  readonly lifetime?: number | undefined
  /** How many streams to serve at once; more get status 503. Default 10,000. */
  readonly streams?: number | undefined
  /** How many of them one client may have, if `authorize` tells clients apart. Default 100. */
  readonly streamsPerClient?: number | undefined
  /**
   * Gets faults, of which a client only sees status 500, and each error of a query about its parameters, such as a `QueryError` or
   * an invalid key, which it sees as status 400. What it throws goes to `console.error`. Default: `console.error`.
   */
  readonly onError?: ((error: unknown, request: Request) => void) | undefined
}

/** The options with their defaults filled in. */
export type CheckedOptions<D extends LiveDeclarations> = {
  readonly [Name in keyof ServeLiveOptions<D>]-?: NonNullable<ServeLiveOptions<D>[Name]>
}

const names = ['authorize', 'valueTypes', 'heartbeat', 'lifetime', 'streams', 'streamsPerClient', 'onError']

/** Throws a TypeError or RangeError if an option is not valid. */
export function checkServeOptions<D extends LiveDeclarations>(given: ServeLiveOptions<D>): CheckedOptions<D> {
  checkOptionNames(given, names, 'serveLive')
  const { authorize, valueTypes = [], heartbeat = 15_000, lifetime = 900_000 } = given
  const { streams = 10_000, streamsPerClient = 100, onError = (error) => console.error(error) } = given
  if (typeof authorize !== 'function')
    throw new TypeError(
      'serveLive needs a function authorize that decides on each request: () => true lets everybody in',
    )
  if (typeof onError !== 'function')
    throw new TypeError('onError of serveLive must be a function of an error')
  checkValueTypes(valueTypes, 'serveLive')
  for (const [name, time] of Object.entries({ heartbeat, lifetime })) {
    checkWholeNumber(time, `${name} of serveLive`, 0)
    if (time > longestTimer)
      throw new RangeError(`${name} of serveLive must be at most ${longestTimer} ms (got ${time})`)
  }
  checkWholeNumber(streams, 'streams of serveLive', 1)
  checkWholeNumber(streamsPerClient, 'streamsPerClient of serveLive', 1)
  return { authorize, valueTypes, heartbeat, lifetime, streams, streamsPerClient, onError }
}
