/** How to read a stored value: the content of the column `encoding`. These numbers are part of the file format. */
export const Encoding = {
  /** `value` is JSON text. */
  json: 0,
  /** `value` is JSON text, and `types` says which parts of it stand for a Date, a Map, a bigint, … */
  superjson: 1,
  /** `value` is the bytes of a Uint8Array. */
  bytes: 2,
  /** `value` is a KvU64: 8 bytes, big-endian, so the bytes order like the numbers. */
  u64: 3,
} as const

export type EncodingId = (typeof Encoding)[keyof typeof Encoding]

/** Whether this release knows this encoding. */
export function isEncoding(id: unknown): id is EncodingId {
  return id === Encoding.json || id === Encoding.superjson || id === Encoding.bytes || id === Encoding.u64
}

/** A value as a row stores it. `types` is JSON text if `encoding` is superjson, otherwise null. */
export interface StoredValue {
  readonly value: string | Uint8Array
  readonly encoding: EncodingId
  readonly types: string | null
}

/** The size of a stored value in bytes, including its types; text counts as UTF-8. */
export function storedBytes({ value, types }: StoredValue): number {
  const bytes = typeof value === 'string' ? Buffer.byteLength(value) : value.length
  return types === null ? bytes : bytes + Buffer.byteLength(types)
}

export function tooLarge(most: number): RangeError {
  return new RangeError(`The value is larger than ${most} bytes: split it, or raise limits.valueBytes`)
}

/** Whether a stored value is larger than `limit` bytes. Text is only measured if its length leaves that open. */
export function exceeds(stored: StoredValue, limit: number): boolean {
  const { value, types } = stored
  const units = value.length + (types === null ? 0 : types.length)
  if (units > limit) return true
  // A UTF-16 unit takes at most three bytes of UTF-8.
  if (typeof value !== 'string' ? types === null : units * 3 <= limit) return false
  return storedBytes(stored) > limit
}
