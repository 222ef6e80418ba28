import { Buffer } from 'node:buffer'
import { isKvU64 } from '../value/kv-u64.ts'
import { deserialize, serialize } from '../value/structured-clone.ts'
import { defineValueType } from '../value/value-type.ts'
import { KvU64 } from './kv-u64.ts'

/** A value between a program and its store, as in Deno KV: bytes, a KvU64, or a structured clone serialized by V8. */
export type RawValue =
  | { readonly kind: 'v8'; readonly bytes: Uint8Array }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'u64'; readonly value: bigint }

/** A structured clone that the database cannot store, such as a sparse array. Its serialization is stored. */
class Clone {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** How to store such clones. */
export const cloneType = defineValueType({
  name: 'Deno.serialized',
  class: Clone,
  encode: ({ bytes }: Clone) => bytes,
  decode: (bytes: Uint8Array) => new Clone(bytes),
})

/** Throws a TypeError for a value that cannot be cloned, such as a function. */
export function toRaw(value: unknown): RawValue {
  if (value instanceof Uint8Array) return { kind: 'bytes', bytes: new Uint8Array(value) }
  if (isKvU64(value)) return { kind: 'u64', value: value.value }
  return { kind: 'v8', bytes: serialize(value) }
}

export function fromRaw(raw: RawValue): unknown {
  if (raw.kind === 'u64') return new KvU64(raw.value)
  return raw.kind === 'bytes' ? raw.bytes : deserialize(raw.bytes)
}

/** What to store for a value: the value itself; or, if the database refuses it, its serialization. */
export function storable(raw: RawValue): readonly [unknown, unknown?] {
  const value = fromRaw(raw)
  return raw.kind === 'v8' && typeof value === 'object' && value !== null
    ? [value, new Clone(raw.bytes)]
    : [value]
}

/** A stored value, as a program for Deno KV gets it. */
export function fromStored(value: unknown): unknown {
  if (value instanceof Clone) return deserialize(value.bytes)
  return isKvU64(value) ? new KvU64(value.value) : value
}

/** A stored value, as the protocol has it. */
export function rawStored(value: unknown): RawValue {
  return value instanceof Clone ? { kind: 'v8', bytes: value.bytes } : toRaw(value)
}

/** The size, as Deno KV counts it. */
export function sizeOf(raw: RawValue): number {
  return raw.kind === 'u64' ? 8 : raw.bytes.length
}

/** The bytes of a KvU64, lowest first. */
export function littleEndian(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}
