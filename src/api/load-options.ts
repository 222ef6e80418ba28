import { checkSignal } from '../arguments/call-options.ts'
import { checkOptionNames } from '../arguments/option-names.ts'
import type { Key, KeyPart } from '../contract/key.types.ts'
import { locate } from '../engines/engines.ts'
import { encodePrefix } from '../key/codec.ts'
import { expiryTime } from '../store/expiry.ts'
import { checkOpenOptions, type OpenOptions, openOptionNames } from './open-options.ts'

/** How `from` and `fromAsync` load items, besides how to open the database. */
export interface LoadOptions<T> extends OpenOptions {
  /** What the key of every item begins with. */
  readonly prefix: Key
  /** The last part of the key: the name of the property that holds it, or a function that returns it. */
  readonly keyProperty: (keyof T & string) | ((item: T) => KeyPart)
  /** The file, created if there is none. Left out: a database in memory. */
  readonly path?: string | URL | undefined
  /** How many milliseconds after it is stored an item expires; above 0. Left out: never. */
  readonly expireIn?: number | undefined
  /**
   * Called after each thousand items and at the end, with the number of items done, and the total if it is known. The load waits for
   * its promise, if it returns one, and rejects with what it throws.
   */
  readonly onProgress?: ((processed: number, total?: number) => void) | undefined
  /**
   * What to do with an item that cannot be stored: reject the call (`'stop'`, the default), or skip it (`'continue'`). With
   * `'stop'`, the items after one that has no key or that its schema refuses are not stored; after one that clashes in a unique index,
   * those in its transaction may be. A failure of the database, such as a full disk, always rejects the call.
   */
  readonly onError?: 'stop' | 'continue' | undefined
  /** Gets each item that cannot be stored, with its error. The load waits for it as for `onProgress`, and rejects with what it throws. */
  readonly onErrorCallback?: ((error: unknown, item: T) => void) | undefined
  /**
   * Aborting it rejects the call with its reason and closes the database, even while the source stalls. What was stored so far
   * stays.
   */
  readonly signal?: AbortSignal | undefined
}

const ownNames = [
  'prefix',
  'keyProperty',
  'path',
  'expireIn',
  'onProgress',
  'onError',
  'onErrorCallback',
  'signal',
]
/** Splits the options of a load into those of `open` and checks all of them before anything is opened. */
export function openOptionsOf<T>(options: LoadOptions<T>): OpenOptions {
  const { engine } = locate(options?.path)
  checkOptionNames(options, [...ownNames, ...openOptionNames(engine)], 'from')
  const {
    prefix,
    keyProperty,
    path: _,
    expireIn,
    onProgress,
    onError,
    onErrorCallback,
    signal,
    ...open
  } = options
  if (!Array.isArray(prefix))
    throw new TypeError("prefix must be the beginning of every key, such as ['users']")
  encodePrefix(prefix, options.limits?.keyBytes)
  expiryTime(expireIn, Date.now())
  if (typeof keyProperty !== 'string' && typeof keyProperty !== 'function') {
    throw new TypeError(
      'keyProperty must be the name of a property of the items, or a function that returns the last part of the key',
    )
  }
  if (onError !== undefined && onError !== 'stop' && onError !== 'continue') {
    throw new TypeError("onError must be 'stop' or 'continue'")
  }
  checkFunction(onProgress, 'onProgress')
  checkFunction(onErrorCallback, 'onErrorCallback')
  checkSignal({ signal }, 'from')
  checkOpenOptions(open, engine)
  return open
}

function checkFunction(value: unknown, name: string): void {
  if (value !== undefined && typeof value !== 'function') throw new TypeError(`${name} must be a function`)
}

/** Throws a TypeError if `items` cannot be iterated over. */
export function checkItems(items: unknown, call: string): void {
  const isIterable =
    typeof items === 'string' ||
    (typeof items === 'object' &&
      items !== null &&
      (Symbol.iterator in items || Symbol.asyncIterator in items))
  if (!isIterable) throw new TypeError(`${call} takes an iterable of items, as an array or a generator`)
}
