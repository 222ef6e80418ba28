import type { SetMutation } from '../../commit/write.ts'
import type { Key } from '../../contract/key.types.ts'
import type { StoredRow } from '../../driver/driver.ts'
import { isClosed } from '../../schema/anatomy/anatomy.ts'
import { anatomyOf } from '../../schema/anatomy/anatomy-of.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import { expiryTime } from '../../store/expiry.ts'
import type { RowStore } from '../../store/row-store.ts'
import { isPlainObject } from '../../value/plain-object.ts'
import { incremented, mayIncrement, splitPatch } from './increment.ts'

/** A patch of an object's fields, or a function from the stored value to the new one. */
export type UntypedUpdate = object | ((value: unknown) => unknown)

/** A row to change, and its key. */
export interface Updated {
  readonly store: RowStore
  readonly definition: AnyDefinition
  readonly key: Key
  readonly row: StoredRow
}

/** Throws a TypeError for anything but a patch or a function. */
export function checkUpdate(update: UntypedUpdate): void {
  if (typeof update !== 'function' && !isPlainObject(update)) {
    throw new TypeError('update takes a patch, such as { age: 31 }, or a function of the stored value')
  }
}

/**
 * The mutation for an update of a row. It keeps the expiry of the row, unless `expireIn` (milliseconds) is given. Gives a promise
 * if there is something to wait for. `onPause` is called before a promise of the user's function is awaited.
 */
export function updateMutation(
  updated: Updated,
  update: UntypedUpdate,
  expireIn: number | undefined,
  onPause?: () => void,
): SetMutation | Promise<SetMutation> {
  const { store, key, row } = updated
  const mutation =
    typeof update === 'function'
      ? changed(updated, update as (value: unknown) => unknown, onPause)
      : mayIncrement(update)
        ? patchedAndIncremented(updated, update)
        : store.preparePatch(key, row, update)
  return mutation instanceof Promise
    ? mutation.then((settled) => expiringIn(settled, expireIn, store))
    : expiringIn(mutation, expireIn, store)
}

/** The mutation with this expiry (milliseconds from now), if it is given. */
export function expiringIn(
  mutation: SetMutation,
  expireIn: number | undefined,
  store: Pick<RowStore, 'now'>,
): SetMutation {
  return expireIn === undefined ? mutation : { ...mutation, expiresAt: expiryTime(expireIn, store.now()) }
}

async function changed(
  { store, key, row }: Updated,
  update: (value: unknown) => unknown,
  onPause: (() => void) | undefined,
): Promise<SetMutation> {
  const value = update(await store.ownValue(row, key))
  if (value instanceof Promise) onPause?.()
  return store.prepareChanged(key, row, await value)
}

/** The values of a patch are inputs; the results of increments are outputs. */
async function patchedAndIncremented(
  { store, definition, key, row }: Updated,
  patch: object,
): Promise<SetMutation> {
  const stored = await store.ownValue(row, key)
  if (!isPlainObject(stored)) return store.preparePatch(key, row, patch)
  const { fields, increments } = splitPatch(definition, stored, patch)
  const outputs = incremented(stored, increments)
  if (increments.length === 0 || isClosed(anatomyOf(definition.schema)))
    return store.preparePatch(key, row, { ...fields, ...outputs })
  if (Object.keys(fields).length === 0) return store.prepareChanged(key, row, { ...stored, ...outputs })
  const patched = { ...row, ...(await store.preparePatch(key, row, fields)).stored }
  return store.prepareChanged(key, patched, {
    ...((await store.ownValue(patched, key)) as object),
    ...outputs,
  })
}
