/** A part of a compared value in its JSON form: a bigint as digits, -0 as 0; `null` if it is missing. */
export function storedForm(value: unknown): string | number | boolean | object | null {
  if (typeof value === 'bigint') return String(value)
  return value === 0 ? 0 : ((value ?? null) as string | number | boolean | object | null)
}

/** What these names lead to in a value; `undefined` if nothing, as inside an array or a Map. */
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
