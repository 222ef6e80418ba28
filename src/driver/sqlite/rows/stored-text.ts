// SQLite reads the texts in the JSON of a row as UTF-8, but with three bytes for each lone surrogate. The engine's binding knows only
// UTF-8: it writes and reads U+FFFD instead of these.

import { Buffer, isUtf8 } from 'node:buffer'

/** A text as the binding has to take it to be equal to a stored one. */
export function storedText(text: string): string | Uint8Array {
  return text.isWellFormed() ? text : Buffer.concat(Array.from(text, bytesOf))
}

/** The UTF-8 of a character, or for a lone surrogate the three bytes that UTF-8 would have for its code. */
function bytesOf(character: string): Uint8Array {
  if (character.isWellFormed()) return Buffer.from(character)
  const code = character.charCodeAt(0)
  return Buffer.of(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f))
}

/** Whether the binding may have read a text with lone surrogates as this one. */
export function mayBeOther(text: string): boolean {
  return text.includes('\ufffd')
}

/** The bytes of a lone surrogate, as Latin-1. */
const surrogate = /\xed([\xa0-\xbf][\x80-\xbf])/

/** The text of these bytes of a stored one. */
export function textOfStored(bytes: Uint8Array): string {
  const stored = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (isUtf8(stored)) return stored.toString()
  const parts = stored.toString('latin1').split(surrogate)
  return parts
    .map((part, i) => {
      if (i % 2 === 0) return Buffer.from(part, 'latin1').toString()
      return String.fromCharCode(0xd000 | ((part.charCodeAt(0) & 0x3f) << 6) | (part.charCodeAt(1) & 0x3f))
    })
    .join('')
}
