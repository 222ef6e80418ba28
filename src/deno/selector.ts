import { Buffer } from 'node:buffer'
import { compareBytes } from '../key/codec.ts'
import { type KeyRange, prefixRange, successor } from '../key/range.ts'
import { checkReadKey, encodeKvKey } from './keys.ts'
import type { KvKey, KvListSelector } from './kv.types.ts'

/** The keys of a selector, copied, so that nobody can change them. */
export interface SelectedKeys {
  readonly prefix?: KvKey
  readonly start?: KvKey
  readonly end?: KvKey
}

/** The range of a selector, and the bytes that all of its keys begin with; a cursor is what follows them. */
export interface SelectedRange extends KeyRange {
  readonly common: Uint8Array
}

/** Throws a TypeError for any other shape. */
export function selectedKeys(selector: KvListSelector): SelectedKeys {
  const { prefix, start, end } = selector as SelectedKeys
  if (prefix !== undefined && start !== undefined && end !== undefined)
    throw new TypeError("Selector can not specify both 'start' and 'end' key when specifying 'prefix'")
  if (prefix === undefined && (start === undefined || end === undefined))
    throw new TypeError("Selector must specify either 'prefix' or both 'start' and 'end' key")
  return {
    ...(prefix && { prefix: prefix.slice() }),
    ...(start && { start: start.slice() }),
    ...(end && { end: end.slice() }),
  }
}

/** Throws a TypeError if the bounds do not fit each other. */
export function selectedRange({ prefix, start, end }: SelectedKeys): SelectedRange {
  const [from, to] = [start && encodeKvKey(start), end && encodeKvKey(end)]
  if (prefix === undefined) {
    if (compareBytes(from!, to!) > 0) throw new TypeError('Start key is greater than end key')
    return { start: from!, end: to!, common: commonBytes(from!, to!) }
  }
  const common = encodeKvKey(prefix)
  const whole = prefixRange(common)
  if (from !== undefined && !goesOn(from, common))
    throw new TypeError('Start key is not in the keyspace defined by prefix')
  if (to !== undefined && !goesOn(to, common))
    throw new TypeError('End key is not in the keyspace defined by prefix')
  return { start: from ?? whole.start, end: to ?? whole.end, common }
}

/** The part of a range after the key of a cursor; all of it without one. */
export function rangeFrom(range: SelectedRange, cursor: string | undefined, reverse: boolean): KeyRange {
  let { start, end } = range
  if (cursor !== undefined && cursor !== '') {
    const last = Buffer.concat([range.common, decodeCursor(cursor)])
    if (reverse) end = last
    else start = successor(last)
    if (compareBytes(start, range.start) < 0 || compareBytes(end, range.end) > 0)
      throw new TypeError('cursor out of bounds')
  }
  checkReadKey(start.length)
  checkReadKey(end.length)
  return { start, end }
}

/** The cursor after this key, as Deno KV writes it: each can continue the list of the other. */
export function cursorAt({ common }: SelectedRange, key: KvKey): string {
  const rest = Buffer.from(encodeKvKey(key).subarray(common.length))
  return rest.toString('base64').replaceAll('+', '-').replaceAll('/', '_')
}

function decodeCursor(cursor: string): Uint8Array {
  if (typeof cursor !== 'string' || !/^[\w-]*={0,2}$/.test(cursor) || cursor.length % 4 !== 0)
    throw new TypeError('invalid cursor')
  return Buffer.from(cursor, 'base64url')
}

function goesOn(key: Uint8Array, prefix: Uint8Array): boolean {
  return key.length > prefix.length && compareBytes(key.subarray(0, prefix.length), prefix) === 0
}

function commonBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1
  return a.subarray(0, length)
}
