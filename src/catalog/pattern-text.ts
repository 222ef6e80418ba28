import { match, P } from 'ts-pattern'
import { checkPattern } from '../key/pattern.ts'
import type { Pattern } from '../key/pattern.types.ts'
import type { KeyPart } from '../key.types.ts'

/** A pattern as JSON that a person can read in the database: `["users","*"]`, `["years",{"number":"2026"}]`. */
export function patternText(pattern: Pattern): string {
  return JSON.stringify(pattern.map(tag))
}

/** Throws an Error for a text that `patternText` gives for no pattern. */
export function parsePatternText(text: string): Pattern {
  const parts: unknown = JSON.parse(text)
  if (!Array.isArray(parts)) throw new TypeError(`${text} is no pattern`)
  const pattern = parts.map(untag)
  checkPattern(pattern)
  return pattern
}

function tag(part: KeyPart): string | boolean | object {
  if (typeof part === 'string' || typeof part === 'boolean') return part
  if (typeof part === 'number') return { number: String(part) }
  if (typeof part === 'bigint') return { bigint: String(part) }
  return { bytes: Buffer.from(part).toString('hex') }
}

function untag(part: unknown): KeyPart {
  return match(part)
    .with(P.string, P.boolean, (plain) => plain)
    .with({ number: P.string }, ({ number }) => Number(number))
    .with({ bigint: P.string }, ({ bigint }) => BigInt(bigint))
    .with({ bytes: P.string }, ({ bytes }) => new Uint8Array(Buffer.from(bytes, 'hex')))
    .otherwise(() => {
      throw new TypeError(`${JSON.stringify(part)} is no part of a pattern`)
    })
}
