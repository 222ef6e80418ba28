import type { StoredRow } from '../../driver/driver.ts'
import { ownId } from '../../key/own-key.ts'
import { idOfKey, patternRange, wildcardCount } from '../../key/pattern.ts'
import type { IdOf, Pattern } from '../../key/pattern.types.ts'
import { checkQueryOptions } from '../../query/planner.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import type { RowEntry, RowStore } from '../../store/row-store.ts'
import { Store } from '../../store/store.ts'
import type { Change, ChangesOptions } from '../../watch/change.types.ts'
import { SharedReader } from '../../watch/shared-reader.ts'
import { watchChanges } from '../../watch/watch-changes.ts'
import { watchKeys } from '../../watch/watch-keys.ts'
import { checkWatchOptions, type WatchOptions } from '../../watch/watch-options.ts'
import { watchStream } from '../../watch/watch-stream.ts'
import type { UntypedQuery } from '../find/found-rows.ts'
import { keyMakerOf } from '../find/key-maker.ts'
import { missingRow } from '../find/missing-row.ts'
import { LiveQuery } from './live-query.ts'
import { planLiveQuery } from './live-query-plan.ts'

type Id = IdOf<Pattern>

/** A stream of the entry of an id, or of the entries of several: now, then after each change of at least one. */
export function watchIds(
  store: RowStore,
  definition: AnyDefinition,
  id: Id | readonly Id[],
  options: WatchOptions,
): ReadableStream<unknown> {
  checkWatchOptions(options, 'watch')
  const live = liveStore(store, `${definition.name}.watch`)
  const several = areIds(definition.pattern, id)
  const ids = (several ? id : [id]).map(ownId)
  const keys = ids.map(keyMakerOf(store.registry, definition))
  const toEntry = (row: StoredRow | null, i: number) => {
    const key = keys[i]!.slice()
    return row === null ? missingRow(ids[i], key) : live.rowEntry(row, ids[i], key)
  }
  return several
    ? watchKeys(live, keys, (rows) => Promise.all(rows.map(toEntry)), options)
    : watchKeys(live, keys, async ([row]) => toEntry(row!, 0), options)
}

/** A stream of the result of a query: now, then each time it changes. */
export function watchMany(
  store: RowStore,
  definition: AnyDefinition,
  query: UntypedQuery,
  options: WatchOptions,
): ReadableStream<RowEntry[]> {
  checkQueryOptions(query, 'a query')
  checkWatchOptions(options, 'watchMany')
  const live = liveStore(store, `${definition.name}.watchMany`)
  const plan = planLiveQuery(live, definition, query)
  const watch = live.hub.shared.named(plan.name, () => new LiveQuery(live, plan))
  return watchStream(live.hub, new SharedReader(watch, copyOf), options.signal)
}

const copyOf = (entries: readonly RowEntry[]): RowEntry[] => entries.slice()

/** A stream of the changes of the rows of a definition. */
export function watchRows(
  store: RowStore,
  { name, pattern }: AnyDefinition,
  options: ChangesOptions,
): ReadableStream<Change & { readonly id: Id }> {
  checkWatchOptions(options, 'changes', ['since', 'signal'])
  const live = liveStore(store, `${name}.changes`)
  return watchChanges(
    live,
    patternRange(pattern),
    (key) => live.collectionOf(key) === name,
    ({ type, ...change }) => ({ type, id: idOfKey(pattern, change.key), ...change }) as Change & { id: Id },
    options,
  )
}

/** With several wildcards, one id is itself an array. */
function areIds(pattern: Pattern, id: Id | readonly Id[]): id is readonly Id[] {
  if (!Array.isArray(id)) return false
  return wildcardCount(pattern) === 1 || id.length === 0 || Array.isArray(id[0])
}

/** The open database behind a face. Throws a TypeError for a unit of work or a snapshot, which never sees changes. */
function liveStore(store: RowStore, call: string): Store {
  if (store instanceof Store) return store
  throw new TypeError(
    `A unit of work or a snapshot reads one state, in which nothing changes: call ${call} on the database instead`,
  )
}
