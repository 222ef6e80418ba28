/** value, encoding, types, version, expires_at */
export type KvRow = readonly [
  value: string | Uint8Array,
  encoding: number,
  types: string | null,
  version: number,
  expiresAt: number | null,
]

/**
 * A row that replaces another: value, encoding, types, version, expires_at; then its key, the version to replace, and ms since the
 * epoch.
 */
export type ReplacingRow = [...KvRow, key: Uint8Array, expected: number, now: number]

/** A row to write: key, collection, encoding, types, version, expires_at, value. */
export type NewRow = [
  key: Uint8Array,
  collection: string | null,
  encoding: number,
  types: string | null,
  version: number,
  expiresAt: number | null,
  value: string | Uint8Array,
]

/** The columns of a `RawRow`. */
export const rawColumns = 'rowid, key, collection, encoding, types, version, expires_at, value'

/** A row with its number in the file, exactly as it was written. */
export type RawRow = readonly [
  rowid: number,
  key: unknown,
  collection: unknown,
  encoding: unknown,
  types: unknown,
  version: unknown,
  expiresAt: unknown,
  value: unknown,
]
