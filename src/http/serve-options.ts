import { checkOptionNames, checkWholeNumber } from '../arguments/option-names.ts'
import type { ValueType } from '../value/value-type.ts'
import { checkValueTypes } from '../value/value-type.ts'
import type { LiveDeclarations, ParamsOutput } from '../wire/live.types.ts'

/** What a client asks for: a declaration by its name, and its parameters, which its schema has checked. */
export type LiveRequest<D extends LiveDeclarations> = {
  [Name in keyof D & string]: {
    /** That of the declaration. */
    readonly name: Name
    /** As its schema has output them; undefined if it has none. */
    readonly params: ParamsOutput<D[Name]>
  }
}[keyof D & string]

/** What a client may have. */
export interface LiveGrant<Params> {
  /** Parameters instead of those that it has asked with, as narrowed to what is its own. They are not checked again. */
  readonly params?: Params
  /** Whose stream it is, as the id of a user: `streamsPerClient` counts by it. */
  readonly client?: string
}

/**
 * What `authorize` says: `true`, or a grant, lets a request through; a Response answers it, as one with status 401; anything else refuses
 * it with status 403.
 */
export type LiveAnswer<Params> = boolean | null | undefined | LiveGrant<Params> | Response

/** How live queries are served. */
export interface ServeLiveOptions<D extends LiveDeclarations> {
  /**
   * Decides on each request, and again each time that a client comes back. Return `() => true` to let everybody follow everything.
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
  /** The value types of the database, where what is sent has some. Give clients the same. */
  readonly valueTypes?: readonly ValueType[] | undefined
  /** Milliseconds between two signs of life of a stream. Default 15,000; 0: none. */
  readonly heartbeat?: number | undefined
  /**
   * Milliseconds after which a stream ends, sooner by up to a fifth: its client asks again, and is sent what it lacks. So `authorize` is asked
   * again, and a connection that is dead is let go of. Default 900,000, a quarter of an hour; 0: none.
   */
  readonly lifetime?: number | undefined
  /** How many streams there may be at once; more are answered with status 503. Default 10,000. */
  readonly streams?: number | undefined
  /** How many of them may be of one client, where `authorize` tells clients apart. Default 100. */
  readonly streamsPerClient?: number | undefined
  /** Gets faults, of which a client sees status 500 alone. Default: `console.error`. */
  readonly onError?: ((error: unknown, request: Request) => void) | undefined
}

/** Those that are left out have their default. */
export type CheckedOptions<D extends LiveDeclarations> = {
  readonly [Name in keyof ServeLiveOptions<D>]-?: NonNullable<ServeLiveOptions<D>[Name]>
}

const names = ['authorize', 'valueTypes', 'heartbeat', 'lifetime', 'streams', 'streamsPerClient', 'onError']
/** The longest time of a timer. */
const longestTime = 2 ** 31 - 1

/** Throws a TypeError or RangeError for options that are none. */
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
    if (time > longestTime)
      throw new RangeError(`${name} of serveLive must be at most ${longestTime} ms (got ${time})`)
  }
  checkWholeNumber(streams, 'streams of serveLive', 1)
  checkWholeNumber(streamsPerClient, 'streamsPerClient of serveLive', 1)
  return { authorize, valueTypes, heartbeat, lifetime, streams, streamsPerClient, onError }
}
