import { Buffer } from 'node:buffer'
import type { KeyPart } from '../contract/key.types.ts'
import { decodeKey } from './decode.ts'

const stringCode = 0x02
/** The character that decoding puts in for bytes that are not UTF-8. */
const replacement = '\u{fffd}'

/**
 * The key whose encoded bytes were decoded as UTF-8; `null` if the text does not determine the bytes. Throws CorruptKeyError as
 * `decodeKey` does.
 */
export function decodeKeyText(text: string): KeyPart[] | null {
  if (text.includes(replacement)) return null
  const parts: KeyPart[] = []
  for (let at = 0; at < text.length; ) {
    const end = text.charCodeAt(at) === stringCode ? text.indexOf('\0', at + 1) : -1
    // No key has the part '*'.
    if (end === -1 || (end === at + 2 && text[at + 1] === '*')) return decodeKey(Buffer.from(text))
    parts.push(text.slice(at + 1, end))
    at = end + 1
  }
  return parts.length === 0 ? decodeKey(Buffer.from(text)) : parts
}
