import { Buffer } from 'node:buffer'
import { ArgumentRangeError, ArgumentTypeError } from '../arguments/argument-error.ts'
import type { Key } from '../contract/key.types.ts'
import { defaultLimits } from '../contract/limits.ts'
import { isReadable } from '../contract/readable-bytes.ts'
import { integerWidth, writeInteger } from './integer.ts'
import { typeCode } from './type-code.ts'

const ARENA_BYTES = 16 * 1024
/** Up to this length, a loop over the characters is faster than the engine's encoder. */
const SHORT_STRING = 32

// Keys are written one after another into an arena, and handed out as slices of it: no copying, and one allocation for hundreds of
// keys. The bytes before `used` belong to callers and are never written again.
let arena = Buffer.allocUnsafeSlow(ARENA_BYTES)
let view = new DataView(arena.buffer)
let used = 0

/**
 * The bytes of a key, as the FoundationDB tuple layer writes them (docs/key-encoding.md). Their order is the order
 * of keys: `compareBytes(encodeKey(a), encodeKey(b))` has the sign of `compareKeys(a, b)`.
 *
 * ```ts
 * encodeKey(['users', 1n]) // 02 75 73 65 72 73 00 15 01
 * ```
 *
 * Throws a TypeError for what is not a key (no array, no parts, a part of another type, NaN, a lone surrogate,
 * `'*'`) and a RangeError for a key of more than `maxBytes` bytes.
 */
export function encodeKey(key: Key, maxBytes: number = defaultLimits.keyBytes): Buffer {
  if (Array.isArray(key) && key.length === 0) {
    throw new ArgumentTypeError("A key needs at least one part, such as ['users']: it is empty")
  }
  return encode(undefined, key, maxBytes)
}

/** The bytes of a stored key. It may be longer than the limit, which may have been higher when it was written. */
export function encodeStoredKey(key: Key): Buffer {
  return encodeKey(key, Number.POSITIVE_INFINITY)
}

/** The bytes with which every key starts that begins with these parts. Like `encodeKey`, but `[]` is allowed. */
export function encodePrefix(parts: Key, maxBytes: number = defaultLimits.keyBytes): Buffer {
  return encode(undefined, parts, maxBytes)
}

/**
 * The bytes of the key that begins with the parts behind `prefix` and goes on with `parts`. `maxBytes` counts both.
 *
 * ```ts
 * encodeParts(encodePrefix(['users']), ['alice']) // the same bytes as encodeKey(['users', 'alice'])
 * ```
 */
export function encodeParts(
  prefix: Uint8Array,
  parts: Key,
  maxBytes: number = defaultLimits.keyBytes,
): Buffer {
  return encode(prefix, parts, maxBytes)
}

function encode(prefix: Uint8Array | undefined, parts: Key, maxBytes: number): Buffer {
  if (!Array.isArray(parts)) {
    throw new ArgumentTypeError(
      `A key is an array of parts, such as ['users', 'alice']: got ${describe(parts)}`,
    )
  }
  let position = used
  if (prefix !== undefined) {
    if (prefix.length > maxBytes) throw tooLong(maxBytes)
    position = reserve(position, prefix.length)
    for (let i = 0; i < prefix.length; i++) arena[position++] = prefix[i]!
  }
  for (let i = 0; i < parts.length; i++) {
    position = writePart(parts[i], i, position, maxBytes)
    if (position - used > maxBytes) throw tooLong(maxBytes)
  }
  return take(position)
}

/** Makes room for `bytes` at `position`, in a new arena if necessary; returns where the key continues. */
function reserve(position: number, bytes: number): number {
  if (position + bytes <= arena.length) return position
  const begun = arena.subarray(used, position)
  arena = Buffer.allocUnsafeSlow(Math.max(ARENA_BYTES, 2 * (begun.length + bytes)))
  view = new DataView(arena.buffer)
  arena.set(begun)
  used = 0
  return begun.length
}

function take(end: number): Buffer {
  const bytes = arena.subarray(used, end)
  if (arena.length === ARENA_BYTES) {
    used = end
    return bytes
  }
  // An arena that has grown for one long key is not kept.
  arena = Buffer.allocUnsafeSlow(ARENA_BYTES)
  view = new DataView(arena.buffer)
  used = 0
  return Buffer.from(bytes)
}

function writePart(part: unknown, index: number, position: number, maxBytes: number): number {
  if (typeof part === 'string') return writeString(part, index, position, maxBytes)
  if (typeof part === 'number') return writeNumber(part, index, position)
  if (typeof part === 'bigint') {
    const width = integerWidth(part)
    if (width > 255)
      throw new ArgumentRangeError(
        `Key part ${index} is a bigint of ${width} bytes, and one has at most 255: its size must be below 2n ** 2040n; store a larger one as a string or bytes`,
      )
    const start = reserve(position, width + 2)
    return writeInteger(part, width, arena, start)
  }
  if (typeof part === 'boolean') {
    const start = reserve(position, 1)
    arena[start] = part ? typeCode.true : typeCode.false
    return start + 1
  }
  if (part instanceof Uint8Array) return writeBytes(part, index, position, maxBytes)
  throw new ArgumentTypeError(
    `Key part ${index} must be a string, number, bigint, boolean or Uint8Array: got ${describe(part)}`,
  )
}

function writeString(text: string, index: number, position: number, maxBytes: number): number {
  const length = text.length
  if (length > maxBytes) throw tooLong(maxBytes)
  const start = reserve(position, 3 * length + 2)
  if (length > SHORT_STRING) return writeLongString(text, index, start)
  if (length === 1 && text === '*') throw wildcardPart(index)
  const bytes = arena
  bytes[start] = typeCode.string
  let next = start + 1
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === 0 || unit > 0x7f) return writeLongString(text, index, start)
    bytes[next++] = unit
  }
  bytes[next] = 0
  return next + 1
}

function writeLongString(text: string, index: number, start: number): number {
  if (!text.isWellFormed()) {
    throw new ArgumentTypeError(
      `Key part ${index} has a lone surrogate, which UTF-8 cannot hold: fix it with toWellFormed()`,
    )
  }
  arena[start] = typeCode.string
  const end = start + 1 + arena.write(text, start + 1, 'utf8')
  const zeros = text.includes('\0') ? escapeZeros(start + 1, end) : 0
  arena[end + zeros] = 0
  return end + zeros + 1
}

/** Writes FF after each 00 between `start` and `end`, and moves the rest; returns how many 00 there were. */
function escapeZeros(start: number, end: number): number {
  let zeros = 0
  for (let i = start; i < end; i++) if (arena[i] === 0) zeros++
  for (let from = end - 1, to = from + zeros; to > from; from--) {
    const byte = arena[from]!
    if (byte === 0) arena[to--] = 0xff
    arena[to--] = byte
  }
  return zeros
}

function writeBytes(part: Uint8Array, index: number, position: number, maxBytes: number): number {
  const length = part.length
  if (length > maxBytes) throw tooLong(maxBytes)
  if (length === 0 && !isReadable(part))
    throw new ArgumentTypeError(
      `Key part ${index} has no memory any more: its buffer was transferred or has become shorter`,
    )
  let next = reserve(position, 2 * length + 2)
  arena[next++] = typeCode.bytes
  for (let i = 0; i < length; i++) {
    const byte = part[i]!
    arena[next++] = byte
    if (byte === 0) arena[next++] = 0xff
  }
  arena[next] = 0
  return next + 1
}

function writeNumber(part: number, index: number, position: number): number {
  if (Number.isNaN(part)) {
    throw new ArgumentTypeError(
      `Key part ${index} is NaN, which has no place in the order of keys: use a number`,
    )
  }
  const start = reserve(position, 9)
  arena[start] = typeCode.number
  // Adding 0 turns -0 into 0.
  view.setFloat64(start + 1, part + 0)
  if (part < 0) for (let i = start + 1; i < start + 9; i++) arena[i]! ^= 0xff
  else arena[start + 1]! ^= 0x80
  return start + 9
}

/** What is wrong with a key whose part at `index` is a wildcard. */
export function wildcardPart(index: number): TypeError {
  return new ArgumentTypeError(
    `Key part ${index} is '*', which stands for any part in a pattern and cannot be part of a key`,
  )
}

function tooLong(maxBytes: number): RangeError {
  return new ArgumentRangeError(
    `The key is longer than ${maxBytes} bytes: shorten it, or raise limits.keyBytes`,
  )
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'object') return value.constructor?.name ?? 'an object'
  return typeof value
}
