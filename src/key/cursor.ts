import { Buffer } from 'node:buffer'
import { ArgumentTypeError } from '../arguments/argument-error.ts'
import { decodeKey } from './codec.ts'
import { contains, type KeyRange, successor } from './range.ts'

/** The first byte of every cursor, so that a later format can be recognized. */
const FORMAT = 0x01

/** The cursor of a list that ended at the key with these bytes: text for `resumeRange`, opaque to everyone else. */
export function encodeCursor(lastKey: Uint8Array): string {
  const bytes = Buffer.allocUnsafe(lastKey.length + 1)
  bytes[0] = FORMAT
  bytes.set(lastKey, 1)
  return bytes.toString('base64url')
}

/**
 * The part of a range after the key of a cursor; the whole range without a cursor, or with an empty one. Throws a TypeError for
 * anything but a cursor of a list of the same range.
 */
export function resumeRange(range: KeyRange, cursor: string | undefined, reverse: boolean): KeyRange {
  if (cursor === undefined || cursor === '') return range
  const last = decodeCursor(cursor)
  if (last === undefined || !contains(range, last)) {
    throw new ArgumentTypeError(
      'cursor must be the `cursor` of an earlier list with the same selector, unchanged',
    )
  }
  return reverse ? { start: range.start, end: last } : { start: successor(last), end: range.end }
}

function decodeCursor(cursor: unknown): Uint8Array | undefined {
  if (typeof cursor !== 'string') return undefined
  const bytes = Buffer.from(cursor, 'base64url')
  if (bytes[0] !== FORMAT || bytes.toString('base64url') !== cursor) return undefined
  const key = bytes.subarray(1)
  try {
    decodeKey(key)
    return key
  } catch {
    return undefined
  }
}
