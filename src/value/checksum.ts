import { Buffer } from 'node:buffer'
import type { crc32 as Crc32 } from 'node:zlib'
import type { StoredValue } from './encoding.ts'

/** The characters for two bits each at the end of a JSON text, where JSON ignores them. */
const marks = ' \t\n\r'
const marksOfASum = 16
const bytesOfASum = 4
/** An encoding that no value has: decoding it fails. */
const notAsSealed = -1

type Sealable = Pick<StoredValue, 'value' | 'types'> & { readonly encoding: number }

/**
 * A stored value with its checksum behind it: CRC-32 of the value and its types. Behind a text it is written in white space, which JSON
 * passes over, so that queries and indexes read the text as it is; behind bytes it is four bytes, the highest first.
 *
 * ```ts
 * sealed({ value: '1', encoding: 0, types: null }).value // '1' and 16 characters of white space
 * ```
 */
export function sealed<S extends Sealable>(stored: S): S {
  const { value, types } = stored
  const sum = sumOf(value, types)
  if (typeof value === 'string') return { ...stored, value: value + marksOf(sum) }
  const bytes = Buffer.allocUnsafe(value.length + bytesOfASum)
  bytes.set(value)
  bytes.writeUInt32BE(sum, value.length)
  return { ...stored, value: bytes }
}

/**
 * A stored value without its checksum. If the checksum is wrong, the value gets an encoding that nothing can decode. A text without
 * a checksum, as a migration in SQL writes it, is returned as it is.
 */
export function unsealed<S extends Sealable>(stored: S): S {
  const { value, types } = stored
  if (typeof value === 'string') {
    if (!marks.includes(value.at(-1) ?? 'x')) return stored
    const text = value.slice(0, -marksOfASum)
    if (value.length >= marksOfASum && value.endsWith(marksOf(sumOf(text, types)))) {
      return { ...stored, value: text }
    }
  } else if (value instanceof Uint8Array && value.length >= bytesOfASum) {
    const bytes = value.subarray(0, -bytesOfASum)
    const sum = Buffer.from(value.buffer, value.byteOffset + bytes.length, bytesOfASum).readUInt32BE()
    if (sum === sumOf(bytes, types)) return { ...stored, value: bytes }
  }
  return { ...stored, encoding: notAsSealed }
}

/** Loaded for the first checksum: most databases have none, and `node:zlib` loads all streams. */
let crc32: typeof Crc32 | undefined

function sumOf(value: string | Uint8Array, types: string | null): number {
  crc32 ??= process.getBuiltinModule('node:zlib').crc32
  return crc32(value, types === null ? 0 : crc32(String(types)))
}

function marksOf(sum: number): string {
  let text = ''
  for (let bits = 0; bits < 32; bits += 2) text += marks[(sum >>> bits) & 3]
  return text
}
