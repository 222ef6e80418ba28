import { splitPath } from '../value/dotted-path.ts'

/** The most names in a path to a field. */
export const deepestField = 32

const longestName = 200

/** The names in the path of a field, such as `'address.city'`; `null` if this is not a path. */
export function parsePath(path: string): readonly string[] | null {
  const names = splitPath(path)
  return names !== null && names.length <= deepestField && names.every(isFieldName) ? names : null
}

/** Whether a field in a query may have this name: no stored value has a property `__proto__`. */
export function isFieldName(name: string): boolean {
  return name.length <= longestName && name !== '__proto__'
}
