/**
 * One part of a key. Parts order by type first (bytes, string, bigint, number, false, true), then by value: strings by their
 * UTF-8 bytes, `-0` as `0`. `NaN`, a string with a lone surrogate and `'*'` cannot be parts: they are a TypeError.
 */
export type KeyPart = Uint8Array | string | number | bigint | boolean

/** A key: at least one part, from the most general to the most specific, such as `['users', 'alice', 'posts', 1]`. */
export type Key = readonly KeyPart[]
