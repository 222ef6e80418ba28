import type { SetMutation } from '../commit/write.ts'
import type { StoredRow } from '../driver/driver.ts'
import type { Key } from '../key.types.ts'
import { expiryTime } from '../store/expiry.ts'
import type { RowStore } from '../store/row-store.ts'
import { isPlainObject } from '../value/plain-object.ts'

/** A patch of an object's fields, or a function from the stored value to the new one. */
export type UntypedUpdate = object | ((value: unknown) => unknown)

/** Throws a TypeError for what is neither a patch nor a function. */
export function checkUpdate(update: UntypedUpdate): void {
  if (typeof update !== 'function' && !isPlainObject(update)) {
    throw new TypeError('update takes a patch, as { age: 31 }, or a function of the stored value')
  }
}

/**
 * The mutation of a row that an update makes, which keeps the expiry of the row unless `expireIn` (milliseconds) is given. `onPause` is
 * called where the function of the update gives a promise, before that is awaited.
 */
export async function updateMutation(
  store: RowStore,
  key: Key,
  row: StoredRow,
  update: UntypedUpdate,
  expireIn: number | undefined,
  onPause?: () => void,
): Promise<SetMutation> {
  const mutation = await (typeof update === 'function'
    ? changed(store, key, row, update as (value: unknown) => unknown, onPause)
    : store.preparePatch(key, row, update))
  return expireIn === undefined ? mutation : { ...mutation, expiresAt: expiryTime(expireIn) }
}

async function changed(
  store: RowStore,
  key: Key,
  row: StoredRow,
  update: (value: unknown) => unknown,
  onPause: (() => void) | undefined,
): Promise<SetMutation> {
  const value = update(await store.ownValue(row, key))
  if (value instanceof Promise) onPause?.()
  return store.prepareChanged(key, row, await value)
}
