import type { Key } from './key.types.ts'

/** A key for people to read: `["users", 7, 12n, 0x00ff]`. */
export function formatKey(key: Key): string {
  const parts = key.map((part) => {
    if (typeof part === 'string') return JSON.stringify(part)
    if (typeof part === 'bigint') return `${part}n`
    if (part instanceof Uint8Array) return `0x${Buffer.from(part).toString('hex')}`
    return String(part)
  })
  return `[${parts.join(', ')}]`
}
