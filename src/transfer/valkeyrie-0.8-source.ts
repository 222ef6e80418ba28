import { Buffer } from 'node:buffer'
import type { KeyPart } from '../contract/key.types.ts'
import type { ColumnValue, ForeignFile } from '../driver/sqlite/file/foreign-file.ts'
import { KvU64 } from '../value/kv-u64.ts'
import { parseJson } from '../value/parse-json.ts'
import { deserialize } from '../value/structured-clone.ts'
import { cellText, shownCell, utf8Text } from './cell-text.ts'
import { movedForeign } from './foreign-row.ts'
import type { Source } from './source-row.ts'

/** Whether this is a file of valkeyrie 0.8. */
export function isValkeyrie08({ tables }: ForeignFile): boolean {
  return ['key_hash', 'value', 'versionstamp', 'expires_at'].every((name) =>
    tables.get('kv_store')?.includes(name),
  )
}

/** The values of a file of valkeyrie 0.8, in the form of its V8 or its JSON serializer. */
export async function* valkeyrie08Source(file: ForeignFile): Source & AsyncGenerator {
  for await (const [key, value, expiry] of file.rows('kv_store', ['key_hash', 'value', 'expires_at'])) {
    yield movedForeign({
      rawKey: shownCell(key!),
      key: () => keyOfHash(cellText(key!)),
      value: () => keptValue(value!),
      expiresAt: expiry === null ? null : Number(expiry),
    })
  }
}

function keptValue(stored: ColumnValue): unknown {
  const bytes = stored instanceof Uint8Array ? stored : Buffer.from(cellText(stored))
  let kept: unknown
  // V8 writes its version first; JSON text cannot begin with that byte.
  if (bytes[0] === 0xff) kept = deserialize(bytes)
  else if (bytes[0] === 0x7b) kept = parseJson(utf8Text(bytes))
  if (typeof kept !== 'object' || kept === null || !('isU64' in kept))
    throw new TypeError('it was written by a serializer that import cannot read: only those of V8 and JSON')
  const { value, isU64 } = kept as { readonly value?: unknown; readonly isU64: unknown }
  return isU64 ? new KvU64(BigInt(value as string | bigint)) : value
}

/**
 * The key in what 0.8 calls its hash: each part between its type code and a zero. 0.8 escapes nothing, and only keeps bigints from
 * 0 to 64 bits; other keys read back as different ones, and are refused here.
 */
function keyOfHash(hash: string): KeyPart[] {
  const bytes = Buffer.from(hash, 'hex')
  const parts: KeyPart[] = []
  for (let at = 0; at < bytes.length; ) {
    const [part, end] = readPart(bytes, at)
    if (bytes[end] !== 0) throw new TypeError('0.8 does not say where its parts end')
    parts.push(part)
    at = end + 1
  }
  return parts
}

function readPart(bytes: Buffer, at: number): readonly [KeyPart, end: number] {
  const start = at + 1
  const code = bytes[at]
  if (code === 3 && start + 8 <= bytes.length) return [bytes.readBigUInt64BE(start), start + 8]
  if (code === 4 && start + 8 <= bytes.length) return [bytes.readDoubleBE(start), start + 8]
  if (code === 5) return [bytes[start] === 1, start + 1]
  const end = bytes.indexOf(0, start)
  if ((code !== 1 && code !== 2) || end < 0) throw new TypeError('0.8 does not say what its parts are')
  const content = bytes.subarray(start, end)
  return [code === 1 ? new Uint8Array(content) : utf8Text(content), end]
}
