import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react'
import type { LiveClient } from '../client/create-client.ts'
import type { LiveResult } from '../client/live-result.ts'
import type { LiveState } from '../client/shared-result.ts'
import type {
  ItemOf,
  LiveDeclaration,
  LiveDeclarations,
  LiveNames,
  MayOmitParams,
  ParamsInput,
} from '../wire/live.types.ts'

/** How a component follows a live query. */
export interface UseLiveQueryOptions<T> {
  /** The result to show until one arrives: what the server rendered the page with, so that the page continues as it is. */
  readonly initial?: T | undefined
}

/** No argument if the declaration has no parameters, or needs none. */
type HookArguments<L extends LiveDeclaration> =
  MayOmitParams<L> extends true
    ? [params?: ParamsInput<L>, options?: UseLiveQueryOptions<ItemOf<L>>]
    : [params: ParamsInput<L>, options?: UseLiveQueryOptions<ItemOf<L>>]

/**
 * Follows a live query while the component is mounted, and renders it again when the state changes. An unchanged row is the same
 * object as before, so a `memo` component that gets it does not render again. Components that follow the same query share one
 * stream.
 *
 * ```ts
 * function Podium() {
 *   const { status, result = [] } = useLiveQuery(client, 'podium', { places: 3 })
 *   return createElement('p', { className: status }, result.map(({ value }) => value.name).join())
 * }
 * renderToString(createElement(Podium)) // => '<p class="pending"></p>'
 * ```
 */
export function useLiveQuery<D extends LiveDeclarations, Name extends LiveNames<D, 'query'>>(
  client: LiveClient<D>,
  name: Name,
  ...[params, options]: HookArguments<D[Name]>
): LiveState<ItemOf<D[Name]>> {
  const { live, given } = useLive<ItemOf<D[Name]>>(client, name, params, options)
  return useSyncExternalStore(
    live.subscribe,
    () => given.fill(live.state),
    () => given.pending,
  )
}

/**
 * The result of a live query, which the component follows while it is mounted. Until the first result it suspends, for the
 * `Suspense` around it; if the server refuses, it throws the LiveError for the error boundary.
 *
 * ```ts
 * const initial = await client.watch('podium', { places: 3 }).first()
 * function Podium() {
 *   const podium = useSuspenseLiveQuery(client, 'podium', { places: 3 }, { initial })
 *   return createElement('p', {}, podium.map(({ value }) => value.name).join())
 * }
 * renderToString(createElement(Podium)) // => '<p>Ada,Bob</p>'
 * ```
 */
export function useSuspenseLiveQuery<D extends LiveDeclarations, Name extends LiveNames<D, 'query'>>(
  client: LiveClient<D>,
  name: Name,
  ...[params, options]: HookArguments<D[Name]>
): ItemOf<D[Name]> {
  const { live, given } = useLive<ItemOf<D[Name]>>(client, name, params, options)
  const isGiven = given.pending.result !== undefined
  const now = () => given.fill(live.state)
  // A hydrated page first shows what it was given; without that, it shows the current state.
  const state = useSyncExternalStore(live.subscribe, now, isGiven ? () => given.pending : now)
  const followed = useRef<LiveResult<unknown> | null>(null)
  useEffect(() => {
    followed.current = live
    letGo(client, live.key)
  }, [client, live])
  // Only of what this component follows, or has waited for: an error from another time says nothing about now.
  const isOwn = followed.current === live || suspensions.get(client)?.get(live.key)?.error === state.error
  if (state.status === 'failed' && isOwn) throw state.error
  // The error of another time makes it ask again, for which it need not hide what it was given.
  const isThere =
    state.status === 'live' || (state.result !== undefined && (state.status !== 'failed' || isGiven))
  if (!isThere) throw suspended(client, live)
  return state.result as ItemOf<D[Name]>
}

interface Live<T> {
  readonly live: LiveResult<T>
  readonly given: Given<T>
}

/** What a component shows until a result arrives. */
interface Given<T> {
  /** The state before anything has come. */
  readonly pending: LiveState<T>
  /** A state with the initial result, if it has none: the same object for the same state. */
  fill(state: LiveState<T>): LiveState<T>
}

function useLive<T>(
  client: object,
  name: string,
  params: unknown,
  { initial }: UseLiveQueryOptions<T> = {},
): Live<T> {
  const asked = (client as { watch(name: string, params: unknown): LiveResult<T> }).watch(name, params)
  // Of those that are given for the same, one is kept: its `subscribe` is what the component follows.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key tells which it is.
  const live = useMemo(() => asked, [client, asked.key])
  const given = useMemo(() => givenOf(initial), [initial])
  return { live, given }
}

function givenOf<T>(initial: T | undefined): Given<T> {
  const pending: LiveState<T> = Object.freeze({ status: 'pending', result: initial, error: undefined })
  let last: LiveState<T> | undefined
  let filled: LiveState<T> = pending
  const fill = (state: LiveState<T>): LiveState<T> => {
    if (state.status === 'pending') return pending
    if (state.status === 'live' || state.result !== undefined || initial === undefined) return state
    if (last !== state) filled = Object.freeze({ ...state, result: initial })
    last = state
    return filled
  }
  return { pending, fill }
}

/** A query that has suspended components. */
interface Suspension {
  /** The promise that they wait for. */
  readonly first: Promise<unknown>
  isSettled: boolean
  /** Why the query failed last. */
  error: unknown
  /** Stops following it. */
  stop: () => void
}

/**
 * How many milliseconds to follow a query after its first result for components that are not mounted yet; longer, if others still
 * wait for theirs.
 */
const patience = 5_000
/** How many milliseconds until a component asks again for a failed query. */
const pause = 1_000
/** The suspended queries of each client, by key. */
const suspensions = new WeakMap<object, Map<string, Suspension>>()

/**
 * The promise to throw until there is a result. React discards a component that suspends, and its parents that are not mounted yet:
 * if nothing kept following, the result of a parent would be gone by the time that of its child arrives. Servers do not render the
 * parents again.
 */
function suspended(client: object, live: LiveResult<unknown>): Promise<unknown> {
  const keys = suspensions.get(client) ?? new Map<string, Suspension>()
  suspensions.set(client, keys)
  const before = keys.get(live.key)
  if (before !== undefined && before.error === undefined) return before.first
  before?.stop()
  const isInBrowser = 'window' in globalThis
  const isAwaited = () =>
    isInBrowser && own.error === undefined && [...keys.values()].some(({ isSettled }) => !isSettled)
  const endAfter = (milliseconds: number): void => {
    setTimeout(() => {
      if (keys.get(live.key) !== own) return
      if (isAwaited()) endAfter(milliseconds)
      else letGo(client, live.key)
    }, milliseconds)
  }
  const failed = (error: unknown) => {
    own.error = error
    own.isSettled = true
    endAfter(pause)
  }
  // To ask again changes the state of components that show the failure, which must not happen while React renders this one.
  const first = Promise.resolve().then(() => {
    if (isInBrowser && keys.get(live.key) === own)
      // Mounted components render again before a promise could tell that it has failed.
      own.stop = live.subscribe(({ status, error }) => status === 'failed' && failed(error))
    return live.first()
  })
  const own: Suspension = { first, isSettled: false, error: undefined, stop: () => {} }
  keys.set(live.key, own)
  first.then(() => {
    own.isSettled = true
    endAfter(isInBrowser ? patience : 0)
  }, failed)
  return first
}

function letGo(client: object, key: string): void {
  const keys = suspensions.get(client)
  keys?.get(key)?.stop()
  keys?.delete(key)
}
