import { Buffer } from 'node:buffer'
import { isKvU64 } from '../value/kv-u64.ts'
import { deserialize, serialize } from '../value/structured-clone.ts'
import { defineValueType } from '../value/value-type.ts'
import { KvU64 } from './kv-u64.ts'

/** A value as Deno KV has it between a program and its store: bytes, a KvU64, or a structured clone in the serialization of V8. */
export type RawValue =
  | { readonly kind: 'v8'; readonly bytes: Uint8Array }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'u64'; readonly value: bigint }

/** What a structured clone has and the database does not, as a sparse array: its serialization is stored. */
class Clone {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** How such clones are stored. */
export const cloneType = defineValueType({
  name: 'Deno.serialized',
  class: Clone,
  encode: ({ bytes }: Clone) => bytes,
  decode: (bytes: Uint8Array) => new Clone(bytes),
})

/** Throws a DataCloneError for what has no structured clone, as a function. */
export function toRaw(value: unknown): RawValue {
  if (value instanceof Uint8Array) return { kind: 'bytes', bytes: new Uint8Array(value) }
  if (isKvU64(value)) return { kind: 'u64', value: value.value }
  return { kind: 'v8', bytes: serialize(value) }
}

export function fromRaw(raw: RawValue): unknown {
  if (raw.kind === 'u64') return new KvU64(raw.value)
  return raw.kind === 'bytes' ? raw.bytes : deserialize(raw.bytes)
}

/** What to store of a value: first the value itself, then, where the database does not take that, its serialization. */
export function storable(raw: RawValue): readonly [unknown, unknown?] {
  const value = fromRaw(raw)
  return raw.kind === 'v8' && typeof value === 'object' && value !== null
    ? [value, new Clone(raw.bytes)]
    : [value]
}

/** A value that is stored, as a program of Deno KV has it. */
export function fromStored(value: unknown): unknown {
  if (value instanceof Clone) return deserialize(value.bytes)
  return isKvU64(value) ? new KvU64(value.value) : value
}

/** A value that is stored, as the protocol has it. */
export function rawStored(value: unknown): RawValue {
  return value instanceof Clone ? { kind: 'v8', bytes: value.bytes } : toRaw(value)
}

/** The size that Deno KV counts. */
export function sizeOf(raw: RawValue): number {
  return raw.kind === 'u64' ? 8 : raw.bytes.length
}

/** The bytes of a KvU64, the lowest first. */
export function littleEndian(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}
