/**
 * A value in the form in which its JSON is stored and compared: a Date as its ISO string, a bigint as its digits, NaN, the
 * infinities and -0 as text; `null` for what is not there. Objects and arrays are given as they are.
 */
export function storedForm(value: unknown): string | number | boolean | object | null {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : Object.is(value, -0)
          ? '-0'
          : String(value)
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

/** What is at a dotted path in a value; `undefined` where there is nothing, as inside of an array or a Map. */
export function valueAt(value: unknown, path: string): unknown {
  let found = value
  for (const name of path.split('.')) {
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
