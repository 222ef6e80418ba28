import { CorruptKeyError } from '../contract/errors.ts'
import { formatKey } from '../contract/format-key.ts'
import { decodeKey } from './codec.ts'

/** An encoded key for people to read, as `formatKey` shows it. Bytes that are not an encoded key are shown as bytes. */
export function keyLabel(key: Uint8Array): string {
  try {
    return formatKey(decodeKey(key))
  } catch (error) {
    if (error instanceof CorruptKeyError) return `0x${Buffer.from(key).toString('hex')}`
    throw error
  }
}
