import { isUint8Array } from 'node:util/types'
import { SuperJSON, type SuperJSONResult } from 'superjson'
import { Encoding, type StoredValue } from './encoding.ts'
import { checkFaithful } from './faithful.ts'
import { isKvU64, KvU64 } from './kv-u64.ts'
import { isPlainJson } from './plain-json.ts'

// An instance of its own: what a program registers with the shared one must not change the meaning of stored values.
const superjson = new SuperJSON()

type Types = NonNullable<SuperJSONResult['meta']>

/**
 * The form in which a value is stored; `decodeValue` gives back an equal one. It shares no memory with the value,
 * which the caller may change as soon as this returns.
 *
 * Throws a TypeError that names the path of what cannot be stored, as `value.friends[3].onClick is a function`.
 *
 * @example
 * encodeValue({ at: new Date(0) })
 * // { value: '{"at":"1970-01-01T00:00:00.000Z"}', encoding: 1, types: '{"values":{"at":["Date"]},"v":1}' }
 */
export function encodeValue(value: unknown): StoredValue {
  if (isPlainJson(value)) return { value: JSON.stringify(value), encoding: Encoding.json, types: null }
  if (isUint8Array(value)) return { value: new Uint8Array(value), encoding: Encoding.bytes, types: null }
  if (isKvU64(value)) return { value: encodeU64(value.value), encoding: Encoding.u64, types: null }
  if (value === undefined) {
    throw new TypeError('undefined cannot be stored as a value of its own: store null, or delete the key')
  }

  const cycle = checkFaithful(value)
  const stored = encodeTyped(value, cycle !== null)
  if (cycle !== null && !isRestored(stored)) {
    throw new TypeError(
      `${cycle} is an object that holds itself, in a way that cannot be stored: store a tree`,
    )
  }
  return stored
}

/**
 * The value of a stored form. Bytes come back as a Uint8Array with memory of its own.
 *
 * Throws an Error where this is not what `encodeValue` gives; hostile text runs no code and changes no prototype.
 *
 * @example
 * decodeValue('{"at":"1970-01-01T00:00:00.000Z"}', 1, '{"values":{"at":["Date"]},"v":1}')   // { at: Date(0) }
 */
export function decodeValue(value: string | Uint8Array, encoding: number, types: string | null): unknown {
  if (typeof value === 'string') {
    if (encoding === Encoding.json && types === null) return JSON.parse(value)
    if (encoding === Encoding.superjson && types !== null) {
      return superjson.deserialize(
        { json: JSON.parse(value), meta: JSON.parse(types) as Types },
        { inPlace: true },
      )
    }
  } else if (types === null) {
    if (encoding === Encoding.bytes) return new Uint8Array(value)
    if (encoding === Encoding.u64) return decodeU64(value)
  }
  throw new Error(`Encoding ${encoding} does not go with ${typeof value === 'string' ? 'text' : 'bytes'}`)
}

/** Only a cycle needs to know which objects are one: elsewhere an object that occurs twice is stored twice, as in JSON. */
function encodeTyped(value: unknown, keepIdentity: boolean): StoredValue {
  const { json, meta } = superjson.serialize(value)
  const text = JSON.stringify(json)
  const types = keepIdentity ? meta : meta?.values && { values: meta.values, v: 1 }
  if (!types) return { value: text, encoding: Encoding.json, types: null }
  return { value: text, encoding: Encoding.superjson, types: JSON.stringify(types) }
}

/** Two values with one stored form, identities included, are the same graph: this also tells the order of a Set. */
function isRestored(stored: StoredValue): boolean {
  try {
    const again = encodeTyped(decodeValue(stored.value, stored.encoding, stored.types), true)
    return again.value === stored.value && again.types === stored.types
  } catch {
    return false
  }
}

function encodeU64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value)
  return bytes
}

function decodeU64(bytes: Uint8Array): KvU64 {
  if (bytes.length !== 8) throw new Error(`A KvU64 is stored as 8 bytes, not as ${bytes.length}`)
  return new KvU64(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0))
}
