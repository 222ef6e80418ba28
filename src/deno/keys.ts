import type { Key } from '../contract/key.types.ts'
import { encodePrefix } from '../key/codec.ts'
import type { KvKey } from './kv.types.ts'
import { checkMost, limits } from './limits.ts'

/** The last part of a key to set, which the versionstamp of the commit replaces. */
export const commitVersionstamp = Symbol('KvCommitVersionstamp')

/** Reads and writes check the length of a key themselves. */
const anyLength = Number.POSITIVE_INFINITY

/** The bytes of a key, or of a prefix. Throws a TypeError for anything else. */
export function encodeKvKey(key: KvKey): Uint8Array {
  return encodePrefix(plainKey(key), anyLength)
}

/** A copy of a key or a prefix, in which views of other types are bytes. Throws a TypeError for anything else. */
export function plainKey(key: KvKey): Key {
  if (!Array.isArray(key)) throw new TypeError('key must be an array')
  return key.map((part) => {
    if (isPart(part)) return part
    if (!ArrayBuffer.isView(part))
      throw new TypeError('expected string, number, bigint, ArrayBufferView, boolean')
    return new Uint8Array(part.buffer, part.byteOffset, part.byteLength)
  })
}

export function checkWrittenKey(key: Uint8Array): void {
  if (key.length === 0) throw new TypeError('key cannot be empty')
  checkMost(key.length, limits.writtenKeyBytes, 'Key too large for write', ' bytes')
}

/** Checks the bound of a range; a bound after a key has one more byte. */
export function checkReadKey(length: number): void {
  checkMost(length, limits.readKeyBytes, 'Key too large for read', ' bytes')
}

function isPart(part: unknown): part is Key[number] {
  const type = typeof part
  return (
    type === 'string' ||
    type === 'number' ||
    type === 'bigint' ||
    type === 'boolean' ||
    part instanceof Uint8Array
  )
}
