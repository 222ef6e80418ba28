import { Buffer } from 'node:buffer'

/** The bytes of a key as text, one character a byte: a key of Maps and Sets. */
export function keyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
}
