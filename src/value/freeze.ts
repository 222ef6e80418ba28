import { isPlainObject } from './plain-object.ts'

/**
 * Freezes an object or array and everything in it, as far as JavaScript can: the items of a Map or a Set, but not the Map or Set,
 * nor a Date, bytes or an instance of a class. What is already frozen counts as frozen throughout.
 */
export function freeze<T>(value: T): T {
  const open: unknown[] = [value]
  const collections = new Set<unknown>()
  while (open.length > 0) {
    const part = open.pop()
    if (typeof part !== 'object' || part === null) continue
    if (Array.isArray(part) || isPlainObject(part)) {
      if (Object.isFrozen(part)) continue
      Object.freeze(part)
      for (const held of Array.isArray(part) ? part : Object.values(part)) open.push(held)
    } else if ((part instanceof Map || part instanceof Set) && !collections.has(part)) {
      collections.add(part)
      for (const held of part) open.push(held)
    }
  }
  return value
}
