import { Buffer } from 'node:buffer'
import { ArgumentRangeError, ArgumentTypeError } from '../arguments/argument-error.ts'
import type { Key } from '../contract/key.types.ts'
import { compareBytes, encodePrefix } from './codec.ts'

/** The encoded keys from `start`, included, to `end`, excluded. */
export interface KeyRange {
  readonly start: Uint8Array
  readonly end: Uint8Array
}

/**
 * Which keys to list. `prefix` selects the keys that are longer than it and begin with it; `[]` selects all keys. `start` is
 * included, `end` is not; if there is a prefix, both must begin with it.
 *
 * ```ts
 * const ids = (selector: Selector) => Array.fromAsync(db.list(selector), ({ key }) => key.at(-1))
 * await ids({ prefix: ['users'] }) // => ['alice', 'bob']
 * await ids({ prefix: ['users'], start: ['users', 'b'] }) // => ['bob']
 * await ids({ prefix: ['users'], end: ['users', 'b'] }) // => ['alice']
 * await ids({ start: ['users', 'a'], end: ['users', 'bob'] }) // => ['alice']
 * ```
 */
export type Selector =
  | { readonly prefix: Key; readonly start?: undefined; readonly end?: undefined }
  | { readonly prefix: Key; readonly start: Key; readonly end?: undefined }
  | { readonly prefix: Key; readonly end: Key; readonly start?: undefined }
  | { readonly start: Key; readonly end: Key; readonly prefix?: undefined }

const SHAPES = 'a selector is { prefix }, { prefix, start }, { prefix, end } or { start, end }'

/**
 * The range of a selector. Throws a TypeError if the selector has another shape or an invalid part, or if `start` or `end` does not
 * begin with the `prefix`; a RangeError if `start` comes after `end`, or a key has more than `maxBytes` bytes.
 */
export function selectorRange(selector: Selector, maxBytes?: number): KeyRange {
  if (typeof selector !== 'object' || selector === null || Array.isArray(selector)) {
    throw new TypeError(`Not a selector: ${SHAPES}`)
  }
  for (const name of Object.keys(selector)) {
    if (name !== 'prefix' && name !== 'start' && name !== 'end') {
      throw new TypeError(`Unknown property '${name}' of a selector: ${SHAPES}`)
    }
  }
  const { prefix, start, end } = selector
  if (prefix === undefined) {
    if (start === undefined || end === undefined)
      throw new TypeError(`A selector without a prefix needs both start and end: ${SHAPES}`)
    const range = { start: encodePrefix(start, maxBytes), end: encodePrefix(end, maxBytes) }
    if (compareBytes(range.start, range.end) > 0) {
      throw new ArgumentRangeError(
        'The start of a selector comes after its end: swap them, and reverse the list',
      )
    }
    return range
  }
  if (start !== undefined && end !== undefined) {
    throw new TypeError(`A selector cannot have prefix, start and end at once: ${SHAPES}`)
  }
  const whole = prefixRange(encodePrefix(prefix, maxBytes))
  if (start !== undefined) return { start: boundWithin(whole, start, 'start', maxBytes), end: whole.end }
  if (end !== undefined) return { start: whole.start, end: boundWithin(whole, end, 'end', maxBytes) }
  return whole
}

function boundWithin(range: KeyRange, key: Key, name: string, maxBytes?: number): Uint8Array {
  const bytes = encodePrefix(key, maxBytes)
  if (!contains(range, bytes)) {
    throw new ArgumentTypeError(`The ${name} of a selector must begin with its prefix and be longer`)
  }
  return bytes
}

/** The keys that begin with an encoded prefix and are longer. No part begins with 00 or FF, so nothing else lies in this range. */
export function prefixRange(encodedPrefix: Uint8Array): KeyRange {
  return { start: withByte(encodedPrefix, 0x00), end: withByte(encodedPrefix, 0xff) }
}

/** Only the key with these bytes. */
export function singleKeyRange(encodedKey: Uint8Array): KeyRange {
  return { start: encodedKey, end: successor(encodedKey) }
}

/** The smallest byte string after `bytes`. */
export function successor(bytes: Uint8Array): Uint8Array {
  return withByte(bytes, 0x00)
}

function withByte(bytes: Uint8Array, last: number): Uint8Array {
  const longer = Buffer.allocUnsafe(bytes.length + 1)
  longer.set(bytes)
  longer[bytes.length] = last
  return longer
}

/** Whether an encoded key lies in the range. */
export function contains(range: KeyRange, bytes: Uint8Array): boolean {
  return compareBytes(range.start, bytes) <= 0 && compareBytes(bytes, range.end) < 0
}

/** Whether no key can lie in the range. */
export function isEmptyRange(range: KeyRange): boolean {
  return compareBytes(range.start, range.end) >= 0
}
