import { isUint8Array } from 'node:util/types'
import { isReadable } from '../contract/readable-bytes.ts'
import { Encoding, type StoredValue, tooLarge } from './encoding.ts'
import { copiedKvU64, isKvU64, KvU64 } from './kv-u64.ts'
import { parseJson } from './parse-json.ts'
import { isPlainJson } from './plain-json.ts'
import { readTyped } from './read-typed.ts'
import { plainFormat, type ValueFormat } from './value-format.ts'
import { writeTyped } from './write-typed.ts'

/**
 * The form in which a value is stored; `decodeValue` restores an equal one. It shares no memory with the value, which the caller
 * may change as soon as this returns. Throws a TypeError that names the path of what cannot be stored: `value.friends[3].onClick is
 * a function`. With `most`, throws a RangeError before it encodes bytes that would take more; it does not measure anything else.
 *
 * @example
 * encodeValue({ at: new Date(0) })
 * // { value: '{"at":"1970-01-01T00:00:00.000Z"}', encoding: 1, types: '{"values":{"at":["Date"]},"v":1}' }
 */
export function encodeValue(value: unknown, format = plainFormat, most?: number): StoredValue {
  if (isPlainJson(value)) return { value: JSON.stringify(value), encoding: Encoding.json, types: null }
  if (isUint8Array(value) && format.find(value) === undefined) return encodeBytes(value, most)
  const integer = isKvU64(value) ? value : copiedKvU64(value)
  if (integer !== null) return { value: encodeU64(integer.value), encoding: Encoding.u64, types: null }
  return writeTyped(value, format, most)
}

/**
 * The value of a stored form. Bytes come back as a Uint8Array with its own memory. Throws an Error for anything that `encodeValue`
 * cannot have written. Hostile text runs no code, changes no prototype, and costs no more than its length allows.
 *
 * @example
 * decodeValue('{"at":"1970-01-01T00:00:00.000Z"}', 1, '{"values":{"at":["Date"]},"v":1}')   // { at: Date(0) }
 */
export function decodeValue(
  value: string | Uint8Array,
  encoding: number,
  types: string | null,
  format: ValueFormat = plainFormat,
): unknown {
  if (typeof value === 'string') {
    if (encoding === Encoding.json && types === null) return parseJson(value)
    if (encoding === Encoding.superjson && types !== null) return readTyped(value, types, format)
  } else if (isUint8Array(value) && types === null) {
    if (encoding === Encoding.bytes) return new Uint8Array(value)
    if (encoding === Encoding.u64) return decodeU64(value)
  }
  throw new Error(`encoding ${encoding} does not go with ${typeof value === 'string' ? 'text' : 'bytes'}`)
}

function encodeBytes(value: Uint8Array, most = Number.POSITIVE_INFINITY): StoredValue {
  if (value.length > most) throw tooLarge(most)
  if (value.length === 0 && !isReadable(value))
    throw new TypeError('value has no memory any more: its buffer was transferred or has become shorter')
  return { value: new Uint8Array(value), encoding: Encoding.bytes, types: null }
}

function encodeU64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value)
  return bytes
}

function decodeU64(bytes: Uint8Array): KvU64 {
  if (bytes.length !== 8) throw new Error(`a KvU64 is stored as 8 bytes, not as ${bytes.length}`)
  return new KvU64(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0))
}
