import type { StandardSchemaV1 } from '@standard-schema/spec'
import { checkOptionNames } from '../arguments/option-names.ts'
import type {
  LiveChange,
  LiveChanges,
  LiveChangesFilter,
  LiveChangesOptions,
  LiveOptions,
  LiveQuery,
} from '../wire/live.types.ts'

/**
 * Declares a query, or keys, that clients may follow. `params`, a Standard Schema, checks the parameters of a client; nothing
 * else of the query comes from it. `open` returns the stream: from `watchMany`, from `watch`, or any other whose items are
 * states, of which a reader wants the newest.
 *
 * ```ts
 * const best = liveQuery(z.object({ places: z.int().min(1).max(10) }), ({ places }) =>
 *   db.repositories.players.watchMany({ orderBy: { score: 'desc' }, limit: places }),
 * )
 * const phase = liveQuery(() => db.watch([['phase']]))
 * ```
 */
export function liveQuery<T>(
  open: (params: undefined, options: LiveOptions) => ReadableStream<T>,
): LiveQuery<undefined, T>
export function liveQuery<Schema extends StandardSchemaV1, T>(
  params: Schema,
  open: (params: StandardSchemaV1.InferOutput<Schema>, options: LiveOptions) => ReadableStream<T>,
): LiveQuery<Schema, T>
export function liveQuery(...args: readonly unknown[]): unknown {
  return declaration('query', args)
}

/**
 * Declares changes that clients may follow, each once: the stream of `changes`, opened after `since`, and returned as it is. To send
 * some of them only, pass a `filter`: a stream that is made of that one no longer knows how far it is while it gives nothing, so a
 * reader may lose its place in the log.
 *
 * ```ts
 * const played = liveChanges((_, { since }) => db.repositories.players.changes({ since }))
 * const ofOne = liveChanges(
 *   z.object({ player: z.string() }),
 *   (_, { since }) => db.repositories.players.changes({ since }),
 *   { filter: ({ id }, { player }) => id === player },
 * )
 * ```
 */
export function liveChanges<C extends LiveChange>(
  open: (params: undefined, options: LiveChangesOptions) => ReadableStream<C>,
  options?: LiveChangesFilter<undefined, NoInfer<C>>,
): LiveChanges<undefined, C>
export function liveChanges<Schema extends StandardSchemaV1, C extends LiveChange>(
  params: Schema,
  open: (params: StandardSchemaV1.InferOutput<Schema>, options: LiveChangesOptions) => ReadableStream<C>,
  options?: LiveChangesFilter<StandardSchemaV1.InferOutput<Schema>, NoInfer<C>>,
): LiveChanges<Schema, C>
export function liveChanges(...args: readonly unknown[]): unknown {
  return declaration('changes', args)
}

function declaration(kind: 'query' | 'changes', args: readonly unknown[]): object {
  const call = kind === 'query' ? 'liveQuery' : 'liveChanges'
  // A schema may be a function too.
  const hasParams = args.length > 1 && (kind === 'query' || typeof args[1] === 'function')
  const [params, open, options] = hasParams ? args : [undefined, ...args]
  if (typeof open !== 'function' || isStandardSchema(open))
    throw new TypeError(
      `${call} takes a schema of its parameters, if it has any, and a function that opens a stream`,
    )
  if (hasParams && !isStandardSchema(params))
    throw new TypeError(
      `The parameters of ${call} must be a Standard Schema, as z.object({ id: z.string() })`,
    )
  return Object.freeze({ kind, params, open, ...(kind === 'changes' && filterOf(options)) })
}

function filterOf(options: unknown = {}): LiveChangesFilter<never, never> {
  checkOptionNames(options as object, ['filter'], 'liveChanges')
  const { filter } = options as LiveChangesFilter<never, never>
  if (filter !== undefined && typeof filter !== 'function')
    throw new TypeError(
      'filter of liveChanges must be a function of a change, which returns whether to send it',
    )
  return { filter }
}

function isStandardSchema(schema: unknown): boolean {
  const isObject = (typeof schema === 'object' && schema !== null) || typeof schema === 'function'
  return isObject && '~standard' in schema
}
