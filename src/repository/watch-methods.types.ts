import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { IdOf, KeyOf } from '../key/pattern.types.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { Definitions } from '../schema/registry.types.ts'
import type { Change, ChangesOptions } from '../watch/change.types.ts'
import type { WatchOptions } from '../watch/watch-options.ts'
import type { IdArguments, RepositoryEntryMaybe } from './entry.types.ts'
import type { CheckedQuery, Query, QueryEntry } from './query-methods.types.ts'

/** What a commit did to a row: see `Change`. */
export type RepositoryChange<D extends AnyDefinition> = Change<
  KeyOf<D['pattern']>,
  StandardSchemaV1.InferOutput<D['schema']>
> & { readonly id: IdOf<D['pattern']> }

/** None where there is one row only. */
type SeveralIds<D extends AnyDefinition> =
  IdOf<D['pattern']> extends undefined ? never : readonly IdOf<D['pattern']>[]

/** The live reads of a repository. Leaving the loop over a stream, `cancel`, the signal and closing the database end it. */
export interface WatchMethods<D extends AnyDefinition, R extends Definitions> {
  /**
   * Watches one row: a stream of its entry, as it is now and then after each change of it, by whichever process, by expiry too.
   * Given several ids, a stream of all their entries, after each change of at least one. Each read gives the newest state.
   *
   * ```ts
   * for await (const { value } of users.watch('alice')) console.log(value?.name)
   * for await (const [alice, bob] of users.watch(['alice', 'bob'])) console.log(alice.value, bob.value)
   * ```
   */
  watch(...args: [...id: IdArguments<D>, options?: WatchOptions]): ReadableStream<RepositoryEntryMaybe<D>>
  watch<const Ids extends SeveralIds<D>>(
    ids: Ids,
    options?: WatchOptions,
  ): ReadableStream<{ -readonly [I in keyof Ids]: RepositoryEntryMaybe<D> }>

  /**
   * A live query: a stream of what `findMany` gives, as it is now and then each time that it is another result: a row enters,
   * leaves, changes or moves in the order, related rows of `with` included. Changes that the query rules out do not run it again.
   *
   * ```ts
   * for await (const top of players.watchMany({ orderBy: { score: 'desc' }, limit: 3 })) {
   *   console.log(top.map(({ value }) => value.name))
   * }
   * ```
   */
  watchMany<const Q extends Query<D, R> = Record<never, never>>(
    query?: Q & CheckedQuery<D, R, Q>,
    options?: WatchOptions,
  ): ReadableStream<QueryEntry<D, R, Q>[]>

  /**
   * Follows the changes of the rows: a stream of what was committed, by whichever process, in the order of the commits, each
   * change once. It can be taken up again `since` the versionstamp that was reached.
   *
   * ```ts
   * for await (const { type, id, value } of users.changes({ since })) console.log(type, id, value)
   * ```
   *
   * The stream fails with LogTrimmedError when what came after `since` is no longer kept.
   */
  changes(options?: ChangesOptions): ReadableStream<RepositoryChange<D>>
}
