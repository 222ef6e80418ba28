import { KeyedEntry } from './keyed-entry.ts'
import { maxDepth } from './max-depth.ts'

/**
 * Whether `JSON.parse(JSON.stringify(value))` gives the value back. This walk runs before each write, so it only
 * decides: what else the value may be, and where something is wrong with it, is for `checkFaithful`.
 */
export function isPlainJson(value: unknown, depth = 0): boolean {
  if (typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value) && (value !== 0 || 1 / value > 0)
  if (typeof value !== 'object') return false
  if (value === null) return true
  if (depth === maxDepth || Object.getOwnPropertySymbols(value).length > 0) return false

  const prototype = Object.getPrototypeOf(value)
  if (Array.isArray(value)) {
    if (prototype !== Array.prototype || Object.keys(value).length !== value.length) return false
    for (let i = 0; i < value.length; i++) if (!isPlainJson(value[i], depth + 1)) return false
    return true
  }
  if (prototype !== Object.prototype && prototype !== null && prototype !== KeyedEntry.prototype) return false
  // for-in, because it makes no array of the keys: what it may find on Object.prototype is sorted out by checkFaithful.
  for (const key in value) {
    if (key === '__proto__' || !isPlainJson((value as Record<string, unknown>)[key], depth + 1)) return false
  }
  return true
}
