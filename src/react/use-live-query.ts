import { useMemo, useSyncExternalStore } from 'react'
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

/** No argument where a declaration has no parameters, or needs none. */
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
  return useFollowed(client, name, params, options).state
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
  const { live, state } = useFollowed<ItemOf<D[Name]>>(client, name, params, options)
  if (state.status === 'failed') throw state.error
  if (state.status !== 'live' && state.result === undefined) throw live.first()
  return state.result as ItemOf<D[Name]>
}

interface Followed<T> {
  readonly live: LiveResult<T>
  readonly state: LiveState<T>
}

const nothing = () => undefined

function useFollowed<T>(
  client: unknown,
  name: string,
  params: unknown,
  { initial }: UseLiveQueryOptions<T> = {},
): Followed<T> {
  const given = (client as { watch(name: string, params: unknown): LiveResult<T> }).watch(name, params)
  // Of those that are given for the same, one is kept: its `subscribe` is what the component follows.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key tells which it is.
  const live = useMemo(() => given, [client, given.key])
  const state = useSyncExternalStore(live.subscribe, () => live.state, nothing) ?? live.state
  const first = useMemo<LiveState<T>>(
    () => Object.freeze({ status: 'pending', result: initial, error: undefined }),
    [initial],
  )
  return { live, state: state.status === 'pending' ? first : state }
}
