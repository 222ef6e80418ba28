/** A part of a compared value as its JSON has it: a bigint as its digits, -0 as 0; `null` for what is not there. */
export function storedForm(value: unknown): string | number | boolean | object | null {
  if (typeof value === 'bigint') return String(value)
  return value === 0 ? 0 : ((value ?? null) as string | number | boolean | object | null)
}

/** What these names lead to in a value; `undefined` if there is nothing, as inside of an array or a Map. */
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
