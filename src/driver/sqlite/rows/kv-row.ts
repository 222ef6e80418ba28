/** value, encoding, types, version, expires_at */
export type KvRow = readonly [
  value: string | Uint8Array,
  encoding: number,
  types: string | null,
  version: number,
  expiresAt: number | null,
]

/** A row instead of one: value, encoding, types, version, expires_at; its key, the version of that one, and ms since the epoch. */
export type ReplacingRow = [...KvRow, key: Uint8Array, expected: number, now: number]

/** A row to be written: key, collection, encoding, types, version, expires_at, value. */
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

/** A row with its number in the file, as whoever has written it has left it. */
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
