import type { StoredRow } from '../driver/driver.ts'
import type { Key } from '../key.types.ts'
import type { Store } from '../store/store.ts'
import { KeyWatch } from './key-watch.ts'
import type { WatchOptions } from './watch-options.ts'
import { watchStream } from './watch-stream.ts'

/** A stream of the entries of these keys: as they are now, then after each change of at least one of them. */
export function watchKeys<E>(
  store: Store,
  keys: readonly Key[],
  toEntry: (row: StoredRow | null, index: number) => E | Promise<E>,
  { signal }: WatchOptions,
): ReadableStream<E[]> {
  const { driver, hub } = store
  const encodedKeys = keys.map((key) => store.encodeKey(key))
  return watchStream(hub, new KeyWatch({ driver, hub, keys: encodedKeys, toEntry }), signal)
}
