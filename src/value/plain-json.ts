import { maxDepth } from './max-depth.ts'

/**
 * Whether `JSON.parse(JSON.stringify(value))` gives the value back. This walk runs before each write, so it only
 * decides; what else the value may be, and the path of what is wrong with it, is for `assertFaithful`.
 */
export function isPlainJson(value: unknown, depth = 0): boolean {
  if (typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value) && (value !== 0 || 1 / value > 0)
  if (typeof value !== 'object') return false
  if (value === null) return true
  if (depth === maxDepth) return false

  if (Array.isArray(value)) {
    if (
      Object.getPrototypeOf(value) !== Array.prototype ||
      Reflect.ownKeys(value).length !== value.length + 1
    )
      return false
    for (const item of value) if (!isPlainJson(item, depth + 1)) return false
    return true
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  for (const key in value) {
    if (key === '__proto__') return false
    if (!isPlainJson((value as Record<string, unknown>)[key], depth + 1)) return false
  }
  return Object.getOwnPropertySymbols(value).length === 0
}
