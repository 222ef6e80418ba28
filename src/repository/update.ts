/** A patch of an object's fields, or a function from the stored value to the new one. */
export type UntypedUpdate = object | ((value: unknown) => unknown)

/** The value after an update; a promise of it where the function gives one. Throws a TypeError for what cannot be patched. */
export function applyUpdate(value: unknown, update: UntypedUpdate): unknown | Promise<unknown> {
  if (typeof update === 'function') return update(value)
  if (!isPlainObject(update)) {
    throw new TypeError('update takes a patch, as { age: 31 }, or a function of the stored value')
  }
  if (!isPlainObject(value)) {
    throw new TypeError(
      'Only the fields of an object can be patched: give update a function of the stored value',
    )
  }
  return { ...value, ...update }
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
