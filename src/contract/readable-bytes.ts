/**
 * Whether bytes can still be read. They cannot once their buffer was transferred to another thread, or has become too short for
 * them: they then look as if there were none.
 */
export function isReadable(bytes: NodeJS.ArrayBufferView | ArrayBuffer): boolean {
  try {
    if (!ArrayBuffer.isView(bytes)) return new DataView(bytes).byteLength >= 0
    if (bytes instanceof DataView) return bytes.byteLength >= 0
    Uint8Array.prototype.at.call(bytes as Uint8Array, 0)
    return true
  } catch {
    return false
  }
}
