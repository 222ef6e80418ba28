import { Buffer } from 'node:buffer'
import type { Key } from '../contract/key.types.ts'
import { keyJson, keyOfJson } from '../key/key-json.ts'
import { maxDepth } from '../value/bounds.ts'
import { decodeValue, encodeValue } from '../value/codec.ts'
import { Encoding, type EncodingId, type StoredValue } from '../value/encoding.ts'
import { KvU64 } from '../value/kv-u64.ts'
import { parseJson } from '../value/parse-json.ts'
import { negativeZero } from '../value/written.ts'
import { dataFormat } from './data-format.ts'

/** A row on its way from one database to another: everything but its version. `expiresAt` in milliseconds since the epoch. */
export interface MovedRow {
  readonly key: Key
  readonly stored: StoredValue
  readonly expiresAt: number | null
}

const encodings = {
  json: Encoding.json,
  superjson: Encoding.superjson,
  bytes: Encoding.bytes,
  u64: Encoding.u64,
}
type EncodingName = keyof typeof encodings
const namesOf = new Map(Object.entries(encodings).map(([name, id]) => [id as number, name as EncodingName]))

/**
 * A row as one line of JSON, without the end of the line: what is stored is in it unchanged.
 *
 * ```ts
 * rowLine({ repository: 'users', key, stored, expiresAt: null })
 * // '{"repository":"users","key":["users","ada"],"value":{"born":"1815-12-10T00:00:00.000Z"},"encoding":"superjson","types":…}'
 * ```
 *
 * `error`: why it was not taken; `versionstamp`: that of the commit that wrote it. Throws a SyntaxError if the stored text is not JSON.
 */
export function rowLine(
  row: MovedRow & {
    readonly repository: string | null
    readonly error?: string
    readonly versionstamp?: string
  },
): string {
  const { repository, key, stored, expiresAt, error, versionstamp } = row
  const { encoding, types } = stored
  const parts = [
    ...(error === undefined ? [] : [`"error":${JSON.stringify(error)}`]),
    `"repository":${JSON.stringify(repository)}`,
    `"key":${JSON.stringify(keyJson(key))}`,
    `"value":${valueText(stored)}`,
  ]
  if (encoding !== Encoding.json) parts.push(`"encoding":${JSON.stringify(namesOf.get(encoding))}`)
  if (types !== null) parts.push(`"types":${jsonLine(types)}`)
  if (expiresAt !== null) parts.push(`"expiresAt":${expiresAt}`)
  if (versionstamp !== undefined) parts.push(`"versionstamp":"${versionstamp}"`)
  return `{${parts.join(',')}}`
}

function valueText({ value, encoding, types }: StoredValue): string {
  if (typeof value === 'string') return jsonLine(value)
  if (encoding === Encoding.u64)
    return JSON.stringify(String((decodeValue(value, encoding, types) as KvU64).value))
  return JSON.stringify(Buffer.from(value).toString('hex'))
}

/** JSON text on one line. Text that this package has stored already is. */
function jsonLine(text: string): string {
  const value = parseJson(text)
  return /[\n\r]/.test(text) ? jsonText(value) : text
}

/** JSON text that keeps a stored -0. */
function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, member) => (Object.is(member, -0) ? negativeZero() : member))
}

/** The row of a line from `rowLine`, possibly edited by a person. Throws an Error that says what is wrong with it. */
export function parseRowLine(line: unknown): MovedRow {
  if (typeof line !== 'object' || line === null || Array.isArray(line))
    throw new TypeError('a row must be an object, such as {"key":["users","alice"],"value":{"name":"Alice"}}')
  const { key, value, encoding = 'json', types, expiresAt = null } = line as Record<string, unknown>
  if (key === undefined) throw new TypeError('it has no key')
  if (!('value' in line)) throw new TypeError('it has no value')
  if (expiresAt !== null && !(Number.isSafeInteger(expiresAt) && (expiresAt as number) >= 0))
    throw new TypeError('its expiresAt is not a number of milliseconds since the epoch')
  if (hasTooLarge(key))
    throw new TypeError(`its key has a number that is too large: ${doubles}, or {"number":"Infinity"}`)
  return {
    key: keyOfJson(key),
    stored: storedOf(value, encoding, types),
    expiresAt: expiresAt as number | null,
  }
}

const doubles = 'numbers are doubles, up to 1.7976931348623157e308. Write it as a text'

function storedOf(value: unknown, encoding: unknown, types: unknown): StoredValue {
  if (typeof encoding !== 'string' || !Object.hasOwn(encodings, encoding))
    throw new TypeError(`its encoding is not one of ${Object.keys(encodings).join(', ')}`)
  const id = encodings[encoding as EncodingName]
  // A Map is two nested arrays.
  if (isDeeper(value, id === Encoding.json ? maxDepth : 2 * maxDepth))
    throw new TypeError(`its value is nested more than ${maxDepth} objects deep`)
  const stored = readStored(value, id, types)
  // A value that cannot be decoded is not one.
  decodeValue(stored.value, stored.encoding, stored.types, dataFormat)
  return stored
}

/** Whether the arrays and objects of a JSON value nest deeper than this. */
export function isDeeper(json: unknown, levels: number): boolean {
  if (typeof json !== 'object' || json === null) return false
  return levels === 0 || Object.values(json).some((inner) => isDeeper(inner, levels - 1))
}

/** Whether a JSON value has a number that no double holds, such as 1e400. */
export function hasTooLarge(json: unknown): boolean {
  if (typeof json === 'number') return !Number.isFinite(json)
  return typeof json === 'object' && json !== null && Object.values(json).some(hasTooLarge)
}

function readStored(value: unknown, encoding: EncodingId, types: unknown): StoredValue {
  if (encoding === Encoding.bytes) {
    if (typeof value !== 'string' || !/^(?:[\da-f]{2})*$/i.test(value))
      throw new TypeError('its value is not text of hex digits, as bytes are')
    return { value: new Uint8Array(Buffer.from(value, 'hex')), encoding, types: null }
  }
  if (encoding === Encoding.u64) {
    if (typeof value !== 'string' || !/^\d+$/.test(value))
      throw new TypeError('its value is not text of decimal digits, as a KvU64 is')
    return encodeValue(new KvU64(BigInt(value)))
  }
  const text = encoding === Encoding.json ? JSON.stringify(value) : jsonText(value)
  // JSON writes a number that is not finite as null.
  if (text.includes('null') && hasTooLarge(value))
    throw new TypeError(`its value has a number that is too large: ${doubles}`)
  return { value: text, encoding, types: types === undefined ? null : JSON.stringify(types) }
}
