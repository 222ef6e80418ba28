import type { Key } from '../contract/key.types.ts'
import type { WatchOptions } from './watch-options.ts'

/** From where on to follow changes. */
export interface ChangesOptions extends WatchOptions {
  /**
   * A versionstamp: gives the changes of the commits after it; 20 zeros: all that there have ever been. Left out: those after
   * the call. What is not a versionstamp is a TypeError.
   */
  readonly since?: string | undefined
}

/**
 * What a commit did to a key, as `{ type: 'set', key, versionstamp, value }`; `type` is `'set'`, `'delete'` or `'expire'`.
 * All changes of one commit share its versionstamp.
 *
 * A `set` has the value while that is still the newest of its key. Once it has been overwritten, removed or has
 * expired, the change is `superseded` and its value is null, unless the database is opened with `log: { values: true }`.
 */
export type Change<K extends Key = Key, V = unknown> =
  | ChangeTo<'set', K, V>
  | (ChangeTo<'set', K, null> & { readonly superseded: true })
  | ChangeTo<'delete' | 'expire', K, null>

interface ChangeTo<Type extends string, K extends Key, V> {
  readonly type: Type
  readonly key: K
  readonly versionstamp: string
  readonly value: V
  readonly superseded?: true
}
