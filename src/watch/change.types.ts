import type { Key } from '../contract/key.types.ts'
import type { WatchOptions } from './watch-options.ts'

/** From where to follow changes. */
export interface ChangesOptions extends WatchOptions {
  /**
   * A versionstamp: follows the commits after it; 20 zeros: all commits. Left out: the commits after the call; on a server, those of other
   * processes after it has answered. Anything that is not a versionstamp is a TypeError.
   */
  readonly since?: string | undefined
}

/**
 * What a commit did to a key: `{ type: 'set', key, versionstamp, value }`; `type` is `'set'`, `'delete'` or `'expire'`. All
 * changes of one commit share its versionstamp.
 *
 * A `set` has the value while that is the newest of its key. Once it is overwritten, removed or expired, the change is
 * `superseded` and its value is null, unless you open with `log: { values: true }`. Values are read ahead: others,
 * with a handle of their own, may have overwritten that of a change since, for about a second at most.
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
