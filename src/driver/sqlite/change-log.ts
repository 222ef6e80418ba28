import { Encoding, type EncodingId, type StoredValue } from '../../value/encoding.ts'
import type { LoggedChange } from '../driver.ts'

type ChangeType = LoggedChange['type']

const changeBytes: Record<ChangeType, number> = { set: 1, delete: 2, expire: 3 }
const changeTypes: Record<number, ChangeType> = { 1: 'set', 2: 'delete', 3: 'expire' }
const valued = 0x80

/**
 * Collects the changes of one commit for its row in `kv_log`. Each change is a byte that tells its type, then the key's
 * length (LEB128) and the key. With the high bit set on the type, the value follows: its encoding (a byte), its
 * bytes and its types, each after a length; a text is UTF-8, and types that are null have length 0.
 */
export class ChangeLog {
  readonly #withValues: boolean
  #chunks: Uint8Array[] = []

  constructor(withValues: boolean) {
    this.#withValues = withValues
  }

  add(type: ChangeType, key: Uint8Array, stored?: StoredValue): void {
    const withValue = this.#withValues && stored !== undefined
    const header = changeBytes[type] | (withValue ? valued : 0)
    if (key.length < 0x80) {
      const chunk = Buffer.allocUnsafe(key.length + 2)
      chunk[0] = header
      chunk[1] = key.length
      chunk.set(key, 2)
      this.#chunks.push(chunk)
    } else {
      this.#chunks.push(Uint8Array.of(header), lengthBytes(key.length), key)
    }
    if (withValue) {
      const bytes = typeof stored.value === 'string' ? Buffer.from(stored.value) : stored.value
      const types = Buffer.from(stored.types ?? '')
      this.#chunks.push(Uint8Array.of(stored.encoding), lengthBytes(bytes.length), bytes)
      this.#chunks.push(lengthBytes(types.length), types)
    }
  }

  reset(): void {
    this.#chunks = []
  }

  /** The bytes of the row, and a log that is empty again. */
  take(): Uint8Array {
    const chunks = this.#chunks
    this.#chunks = []
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
  }
}

/** The changes that a row of `kv_log` holds. */
export function readChanges(bytes: Uint8Array): LoggedChange[] {
  const changes: LoggedChange[] = []
  let at = 0
  const readLength = () => {
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!
      length |= (byte & 0x7f) << shift
      if (byte < 0x80) return length
    }
  }
  const readBytes = () => {
    const length = readLength()
    at += length
    return Buffer.from(bytes.buffer, bytes.byteOffset + at - length, length)
  }
  while (at < bytes.length) {
    const header = bytes[at++]!
    const type = changeTypes[header & ~valued]!
    const key = readBytes()
    if ((header & valued) === 0) {
      changes.push({ type, key })
      continue
    }
    const encoding = bytes[at++] as EncodingId
    const value = readBytes()
    const types = readBytes().toString() || null
    const isText = encoding === Encoding.json || encoding === Encoding.superjson
    changes.push({ type, key, stored: { value: isText ? value.toString() : value, encoding, types } })
  }
  return changes
}

function lengthBytes(length: number): Uint8Array {
  const bytes: number[] = []
  let rest = length
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  bytes.push(rest)
  return Uint8Array.from(bytes)
}
