import { decodeKey } from '../key/codec.ts'

/** A key for a person to read: `["users", 7, 12n, 0x00ff]`. */
export function keyLabel(key: Uint8Array): string {
  const parts = decodeKey(key).map((part) => {
    if (typeof part === 'string') return JSON.stringify(part)
    if (part instanceof Uint8Array) return `0x${Buffer.from(part).toString('hex')}`
    return typeof part === 'bigint' ? `${part}n` : String(part)
  })
  return `[${parts.join(', ')}]`
}
