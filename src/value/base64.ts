/** The bytes that base64 stands for, in memory of their own; null if the text is none. It runs in browsers too. */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> | null {
  // Named so, a bundler for browsers puts nothing in its place.
  const { Buffer } = globalThis
  if (Buffer !== undefined) {
    const bytes = Buffer.from(text, 'base64')
    return bytes.toString('base64') === text ? new Uint8Array(bytes) : null
  }
  const units = unitsOf(text)
  if (units === null) return null
  const bytes = new Uint8Array(units.length)
  for (let i = 0; i < units.length; i++) bytes[i] = units.charCodeAt(i)
  return bytes
}

/** `atob` lets white space and missing padding pass. */
function unitsOf(text: string): string | null {
  try {
    const units = atob(text)
    return btoa(units) === text ? units : null
  } catch {
    return null
  }
}
