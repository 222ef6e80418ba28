import { maxDepth } from './bounds.ts'
import { KeyedEntry } from './keyed-entry.ts'

/** How many objects to look at: objects that hold each other often could take forever. */
const mostObjects = 2 ** 20
let objectsLeft = 0

/**
 * Whether `JSON.parse(JSON.stringify(value))` restores the value. This runs before each write, so it only answers yes or no: what
 * else the value may be, and what is wrong with it, is for `writeTyped` to find.
 */
export function isPlainJson(value: unknown): boolean {
  objectsLeft = mostObjects
  return isPlain(value, 0)
}

function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value) && (value !== 0 || 1 / value > 0)
  if (typeof value !== 'object') return false
  if (value === null) return true
  if (depth === maxDepth || --objectsLeft < 0 || Object.getOwnPropertySymbols(value).length > 0) return false

  const prototype = Object.getPrototypeOf(value)
  if (Array.isArray(value)) {
    if (prototype !== Array.prototype || Object.keys(value).length !== value.length) return false
    for (let i = 0; i < value.length; i++) if (!isPlain(value[i], depth + 1)) return false
    return true
  }
  if (prototype !== Object.prototype && prototype !== null && prototype !== KeyedEntry.prototype) return false
  // for-in makes no array of the keys. If it finds something on Object.prototype, `writeTyped` deals with it.
  for (const key in value) if (!isPlain((value as Record<string, unknown>)[key], depth + 1)) return false
  return true
}
