import type { Key, KeyPart } from 'valkeyrie'

/** A text that two ids share where they name the same row, and only there: 1, 1n and '1' are three ids. */
export function identityOf(id: KeyPart | Key | undefined): string {
  if (typeof id === 'string') return `"${id}`
  if (Array.isArray(id)) return JSON.stringify(id.map(identityOf))
  if (id instanceof Uint8Array) return `0x${Buffer.from(id).toString('hex')}`
  return `${typeof id} ${id}`
}
