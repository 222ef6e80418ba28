import type { ColumnValue, ForeignFile } from '../driver/sqlite/file/foreign-file.ts'
import { decodeKey } from '../key/codec.ts'
import { KvU64 } from '../value/kv-u64.ts'
import { deserialize } from '../value/structured-clone.ts'
import { shownCell } from './cell-text.ts'
import { movedForeign } from './foreign-row.ts'
import type { Source } from './source-row.ts'

/** The `v_encoding` of Deno KV. */
const encodings: Record<number, (bytes: Uint8Array) => unknown> = {
  1: deserialize,
  2: littleEndianU64,
  3: (bytes) => new Uint8Array(bytes),
}

/** Whether this is a file of Deno KV. */
export function isDenoKv({ tables }: ForeignFile): boolean {
  return ['k', 'v', 'v_encoding', 'expiration_ms'].every((name) => tables.get('kv')?.includes(name))
}

/** The values of a Deno KV file, whose keys are encoded like those of this package. Its queue is ignored. */
export async function* denoKvSource(file: ForeignFile): Source & AsyncGenerator {
  for await (const [k, v, encoding, expiry] of file.rows('kv', ['k', 'v', 'v_encoding', 'expiration_ms'])) {
    yield movedForeign({
      rawKey: shownCell(k!),
      key: () => decodeKey(bytesOf(k!)),
      value() {
        const decode = encodings[Number(encoding)]
        if (decode === undefined) throw new TypeError(`its v_encoding is ${encoding}, which is unknown`)
        return decode(bytesOf(v!))
      },
      expiresAt: Number(expiry) < 0 ? null : Number(expiry),
    })
  }
}

function bytesOf(value: ColumnValue): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw new TypeError('it is not bytes')
}

/** The KvU64 in 8 bytes, lowest first. */
function littleEndianU64(bytes: Uint8Array): KvU64 {
  if (bytes.length !== 8) throw new TypeError(`a KvU64 has 8 bytes, but there are ${bytes.length}`)
  return new KvU64(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true))
}
