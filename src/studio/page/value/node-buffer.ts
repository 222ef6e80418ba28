/** The part of Node.js's `Buffer` that the codecs of values and keys need, for a browser: bytes with base64 and hex. */
class PageBuffer extends Uint8Array<ArrayBuffer> {
  override toString(encoding?: string): string {
    if (encoding === 'hex') return [...this].map((byte) => byte.toString(16).padStart(2, '0')).join('')
    if (encoding !== 'base64') return new TextDecoder().decode(this)
    return btoa(Array.from(this, (byte) => String.fromCharCode(byte)).join(''))
  }
}

function from(
  source: string | ArrayBuffer | ArrayLike<number>,
  encoding?: unknown,
  length?: number,
): PageBuffer {
  if (source instanceof ArrayBuffer) return new PageBuffer(source, encoding as number | undefined, length)
  const bytes = typeof source === 'string' ? bytesOf(source, encoding) : source
  return new PageBuffer(new Uint8Array(Array.from(bytes)).buffer)
}

function bytesOf(text: string, encoding: unknown): ArrayLike<number> {
  if (encoding === 'hex') return (text.match(/../g) ?? []).map((digits) => Number.parseInt(digits, 16))
  if (encoding === 'base64') return [...atob(text)].map((byte) => byte.charCodeAt(0))
  return new TextEncoder().encode(text)
}

export const Buffer = Object.assign(PageBuffer, {
  from,
  byteLength: (text: string) => new TextEncoder().encode(text).length,
  isBuffer: (value: unknown) => value instanceof PageBuffer,
})
