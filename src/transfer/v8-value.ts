import { deserialize } from 'node:v8'
import { KvU64 } from '../value/kv-u64.ts'

/** A value in the serialization of V8, by which Deno KV and older releases store it. Throws an Error for bytes that are none. */
export function v8Value(bytes: Uint8Array): unknown {
  return deserialize(bytes)
}

/** The KvU64 of 8 bytes, the lowest first. */
export function littleEndianU64(bytes: Uint8Array): KvU64 {
  if (bytes.length !== 8) throw new TypeError(`a KvU64 has 8 bytes, and these are ${bytes.length}`)
  return new KvU64(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true))
}
