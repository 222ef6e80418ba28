/** The bytes of a base64 text, in new memory; null if it is not base64. Runs in browsers too. */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> | null {
  // Taken from `globalThis`, so that bundlers for browsers add no polyfill.
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

/** `atob` accepts white space and missing padding. */
function unitsOf(text: string): string | null {
  try {
    const units = atob(text)
    return btoa(units) === text ? units : null
  } catch {
    return null
  }
}
