import { compareParts } from '../key/codec.ts'
import type { KeyPart } from '../key.types.ts'

/** Whether two parts of patterns are the same; `'*'` is the same as itself only. */
export function isSamePart(a: KeyPart, b: KeyPart): boolean {
  if (a === '*' || b === '*') return a === b
  return compareParts(a, b) === 0
}
