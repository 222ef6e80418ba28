import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { IdOf, KeyOf } from '../../key/pattern.types.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import type { Definitions } from '../../schema/registry.types.ts'
import type { Change, ChangesOptions } from '../../watch/change.types.ts'
import type { WatchOptions } from '../../watch/watch-options.ts'
import type { CheckedQuery } from './checked-query.types.ts'
import type { IdArguments, RowMaybe } from './entry.types.ts'
import type { Query, QueryEntry } from './query.types.ts'

type Output<D extends AnyDefinition> = StandardSchemaV1.InferOutput<D['schema']>

/** What a commit did to a row: a Change with the row's id. */
export type RepositoryChange<D extends AnyDefinition> = Change<KeyOf<D['pattern']>, Output<D>> & {
  readonly id: IdOf<D['pattern']>
}

/** `never` if there is only one row. */
type SeveralIds<D extends AnyDefinition> =
  IdOf<D['pattern']> extends undefined ? never : readonly IdOf<D['pattern']>[]

/** The live reads of a repository. Leaving the loop over a stream, `cancel`, the signal and closing the database end it. */
export interface WatchMethods<D extends AnyDefinition, R extends Definitions> {
  /**
   * Watches one row: returns a stream of its entry, now and after each change, in any process or by expiry. With an array of ids,
   * you get a stream of all their entries, after each change of at least one. Each read gets the newest state. Throws a TypeError
   * if an id is not valid.
   *
   * ```ts
   * for await (const { value } of players.watch('ada')) {
   *   if (value?.score === 8) break
   *   await players.update('ada', { score: 8 })
   * }
   *
   * const both = players.watch(['ada', 'bob']).getReader()
   * const { value: [ada, bob] = [] } = await both.read()
   * ada?.value?.score // => 8
   * bob?.value?.score // => 5
   * await both.cancel()
   * ```
   */
  watch(
    ...args: [...id: IdArguments<D>, options?: WatchOptions]
  ): ReadableStream<RowMaybe<IdOf<D['pattern']>, KeyOf<D['pattern']>, Output<D>>>
  watch<const Ids extends SeveralIds<D>>(
    ids: Ids,
    options?: WatchOptions,
  ): ReadableStream<{
    -readonly [I in keyof Ids]: RowMaybe<IdOf<D['pattern']>, KeyOf<D['pattern']>, Output<D>>
  }>

  /**
   * A live query: returns a stream of the result of `findMany`, now and each time it changes: a row enters, leaves, changes or
   * moves in the order, related rows of `with` included. Changes that the query rules out do not run it again. Everybody who
   * follows the same query shares one evaluation and its rows, which are frozen; an unchanged row is the same object in the next
   * result. Throws a QueryError if the query is wrong.
   *
   * ```ts
   * const leaders = []
   * for await (const top of players.watchMany({ orderBy: { score: 'desc' }, limit: 2 })) {
   *   leaders.push(top.map(({ id }) => id).join())
   *   if (leaders.length === 1) await players.update('bob', { score: 9 })
   *   else break
   * }
   * leaders // => ['ada,bob', 'bob,ada']
   * ```
   */
  watchMany<const Q extends Query<D, R>>(
    query?: Q & CheckedQuery<D, R, Q>,
    options?: WatchOptions,
  ): ReadableStream<QueryEntry<D, R, Q>[]>

  /**
   * Follows the changes of the rows: returns a stream of the commits of all processes, in order, each change once. To continue
   * later, pass the versionstamp that you have reached as `since`.
   *
   * ```ts
   * const changes = players.changes().getReader()
   * const { versionstamp } = await players.update('ada', { score: 8 })
   * const { value: change } = await changes.read()
   * change // => { type: 'set', id: 'ada', key: ['players', 'ada'], versionstamp: '…', value: { name: 'Ada', score: 8 } }
   * await changes.cancel()
   *
   * await players.delete('ada')
   * const later = players.changes({ since: versionstamp }).getReader()
   * const { value: removal } = await later.read()
   * removal // => { type: 'delete', id: 'ada', key: ['players', 'ada'], versionstamp: '…', value: null }
   * await later.cancel()
   * ```
   *
   * The stream fails with LogTrimmedError if the log no longer keeps what came after `since`, and with RangeError if `since` is
   * later than all commits.
   */
  changes(options?: ChangesOptions): ReadableStream<RepositoryChange<D>>
}
