import { ArgumentTypeError } from '../arguments/argument-error.ts'
import type { Key } from '../contract/key.types.ts'
import type { StoredRow } from '../driver/driver.ts'
import { ownKey } from '../key/own-key.ts'
import type { KeyEntryMaybe } from '../schema/registry.types.ts'
import type { Store } from '../store/store.ts'
import { KeyedEntry } from '../value/keyed-entry.ts'
import { KeyWatch } from './key-watch.ts'
import { SharedReader } from './shared-reader.ts'
import type { WatchOptions } from './watch-options.ts'
import { watchStream } from './watch-stream.ts'

/** A stream of items, made by `toItem` from the rows of these keys: now, then after each change of at least one of them. */
export function watchKeys<T>(
  store: Store,
  keys: readonly Key[],
  toItem: (rows: readonly (StoredRow | null)[]) => Promise<T>,
  { signal }: WatchOptions,
): ReadableStream<T> {
  const { driver, hub } = store
  const encodedKeys = keys.map((key) => store.encodeKey(key))
  const watch = hub.shared.named(KeyWatch.nameOf(encodedKeys), () => new KeyWatch(driver, hub, encodedKeys))
  return watchStream(hub, new SharedReader(watch, toItem), signal)
}

/** A stream of the entries of these keys. Throws a TypeError or RangeError for an invalid key. */
export function watchEntries(
  store: Store,
  keys: readonly Key[],
  options: WatchOptions,
): ReadableStream<KeyEntryMaybe[]> {
  if (!Array.isArray(keys))
    throw new ArgumentTypeError("watch takes an array of keys, such as [['users', 'alice']]")
  const ownKeys: Key[] = keys.map(ownKey)
  const toEntry = (row: StoredRow | null, i: number): KeyEntryMaybe | Promise<KeyEntryMaybe> => {
    const key = ownKeys[i]!.slice()
    return row === null ? KeyedEntry.missing(key) : store.entry(row, key)
  }
  return watchKeys(store, ownKeys, (rows) => Promise.all(rows.map(toEntry)), options)
}
