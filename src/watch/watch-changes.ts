import type { Key } from '../contract/key.types.ts'
import type { KeyRange } from '../key/range.ts'
import { parseVersionstamp } from '../key/versionstamp.ts'
import type { Store } from '../store/store.ts'
import type { Change, ChangesOptions } from './change.types.ts'
import { ChangeFeed } from './change-feed.ts'
import { notePosition } from './feed-position.ts'
import { watchStream } from './watch-stream.ts'

/** A stream of the changes of keys in a range, if `includes` accepts them. */
export function watchChanges<C>(
  store: Store,
  range: KeyRange,
  includes: (key: Key) => boolean,
  toChange: (change: Change) => C,
  { since, signal }: ChangesOptions,
): ReadableStream<C> {
  const { driver, hub } = store
  const decode: Store['decode'] = (row, key) => store.decode(row, key)
  const after = since === undefined ? null : parseVersionstamp(since)
  const feed = new ChangeFeed({ driver, hub, range, includes, decode, toChange }, after)
  return notePosition(watchStream(hub, feed, signal), feed)
}
