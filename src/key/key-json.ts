import { Buffer } from 'node:buffer'
import type { Key, KeyPart } from '../contract/key.types.ts'

/**
 * A part of a key as JSON: strings, booleans and finite numbers as they are; anything else as an object with the name of its type.
 */
export type KeyPartJson =
  | string
  | number
  | boolean
  | { readonly number: string }
  | { readonly bigint: string }
  | { readonly bytes: string }

/** A key as JSON, from which it can be restored exactly: `["users", 7, {"bigint":"12"}, {"bytes":"00ff"}]`. */
export function keyJson(key: Key): KeyPartJson[] {
  return key.map((part) => {
    if (typeof part === 'bigint') return { bigint: String(part) }
    if (part instanceof Uint8Array) return { bytes: Buffer.from(part).toString('hex') }
    return typeof part !== 'number' || Number.isFinite(part) ? part : { number: String(part) }
  })
}

/** The key that `keyJson` has written. Throws a TypeError for anything else. */
export function keyOfJson(json: unknown): KeyPart[] {
  if (!Array.isArray(json)) throw new TypeError(`a key is an array of its parts, such as ["users","alice"]`)
  return json.map(keyPartOfJson)
}

/** The part of a key that this JSON stands for. Throws a TypeError if it stands for none. */
export function keyPartOfJson(part: unknown): KeyPart {
  if (typeof part === 'string' || typeof part === 'boolean' || typeof part === 'number') return part
  const { number, bigint, bytes }: Record<string, unknown> = Object(part)
  if (typeof number === 'string') return Number(number)
  if (typeof bigint === 'string' && /^-?\d+$/.test(bigint)) return BigInt(bigint)
  if (typeof bytes === 'string' && /^(?:[\da-f]{2})*$/i.test(bytes))
    return new Uint8Array(Buffer.from(bytes, 'hex'))
  throw new TypeError(`${JSON.stringify(part)} is not a part of a key`)
}
