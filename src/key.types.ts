/** One part of a key. Parts order by type first (bytes, string, bigint, number, false, true), then by value. */
export type KeyPart = Uint8Array | string | number | bigint | boolean

/** A key: its parts, from the most general to the most particular, as `['users', 'alice', 'posts', 1]`. */
export type Key = readonly KeyPart[]
