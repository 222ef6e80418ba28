import { Buffer } from 'node:buffer'

const { latin1Slice } = Buffer.prototype as Buffer & {
  latin1Slice(this: Uint8Array, start: number, end: number): string
}

/** The bytes of a key as text, one character for each byte, for use as a key of Maps and Sets. */
export function keyText(key: Uint8Array): string {
  return latin1Slice.call(key, 0, key.length)
}
