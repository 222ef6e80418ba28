import type { KeyPart } from '../contract/key.types.ts'
import { keyPartOfJson } from './key-json.ts'
import { checkPattern } from './pattern.ts'
import type { Pattern } from './pattern.types.ts'

/** A pattern as JSON that people can read in the database: `["users","*"]`, `["years",{"number":"2026"}]`. */
export function patternText(pattern: Pattern): string {
  return JSON.stringify(pattern.map(tag))
}

/** The pattern of such a text. Throws an Error for any other text. */
export function parsePatternText(text: string): Pattern {
  const parts: unknown = JSON.parse(text)
  if (!Array.isArray(parts)) throw new TypeError(`${text} is not a pattern`)
  const pattern = parts.map(keyPartOfJson)
  checkPattern(pattern)
  return pattern
}

function tag(part: KeyPart): string | boolean | object {
  if (typeof part === 'string' || typeof part === 'boolean') return part
  if (typeof part === 'number') return { number: String(part) }
  if (typeof part === 'bigint') return { bigint: String(part) }
  return { bytes: Buffer.from(part).toString('hex') }
}
