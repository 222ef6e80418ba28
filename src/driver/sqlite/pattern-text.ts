import { match, P } from 'ts-pattern'
import type { Pattern } from '../../key/pattern.types.ts'
import type { KeyPart } from '../../key.types.ts'

type TaggedPart = string | boolean | { number: string } | { bigint: string } | { bytes: string }

/** A pattern as JSON that a person can read in the database: `["users","*"]`, `["years",{"number":"2026"}]`. */
export function patternText(pattern: Pattern): string {
  return JSON.stringify(pattern.map(tag))
}

export function parsePatternText(text: string): Pattern {
  return (JSON.parse(text) as TaggedPart[]).map(untag)
}

function tag(part: KeyPart): TaggedPart {
  if (typeof part === 'string' || typeof part === 'boolean') return part
  if (typeof part === 'number') return { number: String(part) }
  if (typeof part === 'bigint') return { bigint: String(part) }
  return { bytes: Buffer.from(part).toString('hex') }
}

function untag(part: TaggedPart): KeyPart {
  return match(part)
    .with(P.string, P.boolean, (plain) => plain)
    .with({ number: P.string }, ({ number }) => Number(number))
    .with({ bigint: P.string }, ({ bigint }) => BigInt(bigint))
    .with({ bytes: P.string }, ({ bytes }) => new Uint8Array(Buffer.from(bytes, 'hex')))
    .exhaustive()
}
