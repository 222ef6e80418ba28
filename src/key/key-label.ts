import { CorruptKeyError } from '../contract/errors.ts'
import type { Key } from '../contract/key.types.ts'
import { decodeKey } from './codec.ts'

/** A key for people to read: `["users", 7, 12n, 0x00ff]`. Bytes that are not an encoded key are shown as bytes. */
export function keyLabel(key: Uint8Array): string {
  let decoded: Key
  try {
    decoded = decodeKey(key)
  } catch (error) {
    if (error instanceof CorruptKeyError) return `0x${Buffer.from(key).toString('hex')}`
    throw error
  }
  const parts = decoded.map((part) => {
    if (typeof part === 'string') return JSON.stringify(part)
    if (part instanceof Uint8Array) return `0x${Buffer.from(part).toString('hex')}`
    return typeof part === 'bigint' ? `${part}n` : String(part)
  })
  return `[${parts.join(', ')}]`
}
