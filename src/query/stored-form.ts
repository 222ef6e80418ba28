/**
 * A value in the form in which its JSON is stored and compared: a Date as its ISO string, a bigint as its digits, NaN and the
 * infinities as text, -0 as 0; `null` for what is not there. Objects and arrays are given as they are.
 */
export function storedForm(value: unknown): string | number | boolean | object | null {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? (value === 0 ? 0 : value) : String(value)
    case 'bigint':
      return String(value)
    case 'object':
      if (value instanceof Date) return value.toISOString()
      if (value instanceof URL || value instanceof RegExp) return String(value)
      return value
    default:
      return null
  }
}

/** What these names lead to in a value; `undefined` where there is nothing, as inside of an array or a Map. */
export function valueAt(value: unknown, names: readonly string[]): unknown {
  let found = value
  for (const name of names) {
    if (typeof found !== 'object' || found === null) return undefined
    const prototype = Object.getPrototypeOf(found)
    if ((prototype !== Object.prototype && prototype !== null) || !Object.hasOwn(found, name))
      return undefined
    found = (found as Record<string, unknown>)[name]
  }
  return found
}

/** The items of what is stored as an array; `null` for anything else. */
export function storedItems(value: unknown): readonly unknown[] | null {
  if (Array.isArray(value)) return value
  if (value instanceof Set || value instanceof Map) return [...value]
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as Uint8Array)
  return null
}
