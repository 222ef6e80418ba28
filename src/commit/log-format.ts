import { Encoding, isEncoding, type StoredValue } from '../value/encoding.ts'

/** What a commit did to one key. `stored` is the written value, if the log keeps values. */
export interface LoggedChange {
  readonly type: 'set' | 'delete' | 'expire'
  readonly key: Uint8Array
  readonly stored?: StoredValue
}

/** A commit in the log; `at` in milliseconds since the epoch. */
export interface LoggedCommit {
  readonly version: number
  readonly at: number
  /** `null`: the row is damaged, and its changes are unknown. */
  readonly changes: readonly LoggedChange[] | null
}

/** Collects the changes of one commit. */
export interface CollectedChanges {
  add(type: ChangeType, key: Uint8Array, stored?: StoredValue): void
  reset(): void
}

type ChangeType = LoggedChange['type']

const changeBytes: Record<ChangeType, number> = { set: 1, delete: 2, expire: 3 }
const changeTypes: Record<number, ChangeType> = { 1: 'set', 2: 'delete', 3: 'expire' }
const valued = 0x80
/** The most bytes of a length in LEB128. */
const longestLength = 5
/** The most keys in one commit of the log. A call that changes more rows at once, such as `clear`, is several commits there. */
export const keysPerLogRow = 10_000
/** A buffer that has grown for one large commit is not kept. */
const mostBytesKept = 1024 * 1024

/**
 * Collects the changes of one commit for its row in `kv_log`; docs/storage-layout.md specifies the bytes. Each change is a byte for
 * its type, then the key's length (LEB128) and the key. If the type has its high bit set, the value follows: its encoding (one
 * byte), then its bytes and its types, each after its length. Text is UTF-8, and types that are null have length 0.
 */
export class ChangeLog implements CollectedChanges {
  readonly #withValues: boolean
  #bytes = Buffer.allocUnsafeSlow(1_024)
  #length = 0

  constructor(withValues: boolean) {
    this.#withValues = withValues
  }

  add(type: ChangeType, key: Uint8Array, stored?: StoredValue): void {
    const withValue = this.#withValues && stored !== undefined
    this.#byte(changeBytes[type] | (withValue ? valued : 0))
    this.#sized(key)
    if (!withValue) return
    this.#byte(stored.encoding)
    this.#sized(typeof stored.value === 'string' ? Buffer.from(stored.value) : stored.value)
    this.#sized(Buffer.from(stored.types ?? ''))
  }

  reset(): void {
    this.#length = 0
    if (this.#bytes.length > mostBytesKept) this.#bytes = Buffer.allocUnsafeSlow(1_024)
  }

  /** Returns the bytes of the row, and empties the log. */
  take(): Uint8Array {
    const bytes = Buffer.from(this.#bytes.subarray(0, this.#length))
    this.reset()
    return bytes
  }

  #byte(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = byte
  }

  /** Writes bytes, with their length before them. */
  #sized(bytes: Uint8Array): void {
    this.#reserve(longestLength + bytes.length)
    let rest = bytes.length
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80
    this.#bytes[this.#length++] = rest
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(2 * (this.#length + bytes))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}

/** The bytes of the changes of one commit, with their values. */
export function writeChanges(changes: readonly LoggedChange[]): Uint8Array {
  const log = new ChangeLog(true)
  for (const { type, key, stored } of changes) log.add(type, key, stored)
  return log.take()
}

/**
 * The changes in a row of `kv_log`; `null` for anything that `ChangeLog` does not write. No length in it is trusted beyond the
 * bytes that are there.
 */
export function readChanges(bytes: unknown): LoggedChange[] | null {
  if (!(bytes instanceof Uint8Array)) return null
  const reader = new ChangeReader(bytes)
  const changes: LoggedChange[] = []
  try {
    while (reader.at < bytes.length) changes.push(reader.change())
    return changes
  } catch (error) {
    if (error instanceof Damage) return null
    throw error
  }
}

/** The bytes are not those of a row. */
class Damage extends Error {}

class ChangeReader {
  at = 0
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  change(): LoggedChange {
    const header = this.#byte()
    const type = changeTypes[header & ~valued]
    if (type === undefined) throw new Damage()
    const key = this.#sized()
    if ((header & valued) === 0) return { type, key }
    const encoding = this.#byte()
    const value = this.#sized()
    const types = this.#sized().toString() || null
    if (!isEncoding(encoding)) throw new Damage()
    const isText = encoding === Encoding.json || encoding === Encoding.superjson
    return { type, key, stored: { value: isText ? value.toString() : value, encoding, types } }
  }

  #byte(): number {
    const byte = this.#bytes[this.at++]
    if (byte === undefined) throw new Damage()
    return byte
  }

  #sized(): Buffer {
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.#byte()
      // Not a shift: the fifth byte would make the number negative.
      length += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) break
    }
    const start = this.at
    if (length > this.#bytes.length - start) throw new Damage()
    this.at += length
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, length)
  }
}
