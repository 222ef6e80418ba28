import { isDeepStrictEqual } from 'node:util'
import { encodeValue } from '../value/codec.ts'

/** Whether two values have the same stored form. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  return isDeepStrictEqual(a, b) && sameForm(a, b)
}

/** Node.js compares only the visible properties of URLs and similar objects, and older releases compare nothing. */
function sameForm(a: object, b: object): boolean {
  try {
    return isDeepStrictEqual(encodeValue(a), encodeValue(b))
  } catch {
    return false
  }
}
