import { isDeepStrictEqual } from 'node:util'
import { encodeValue } from '../value/codec.ts'

/** Whether two values are stored alike. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  return isDeepStrictEqual(a, b) && sameForm(a, b)
}

/** Of URLs and the like Node.js compares what can be seen, and older ones of it nothing at all. */
function sameForm(a: object, b: object): boolean {
  try {
    return isDeepStrictEqual(encodeValue(a), encodeValue(b))
  } catch {
    return false
  }
}
