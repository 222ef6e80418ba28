import { Buffer } from 'node:buffer'
import type { Key } from '../../../contract/key.types.ts'
import { type KeyPartJson, keyOfJson } from '../../../key/key-json.ts'
import { decodeValue, encodeValue } from '../../../value/codec.ts'
import { Encoding, type EncodingId } from '../../../value/encoding.ts'
import { KvU64 } from '../../../value/kv-u64.ts'
import { parseJson } from '../../../value/parse-json.ts'
import { untoldFormat } from '../../untold-type.ts'

/** A row from the server: as in an export, with its versionstamp. */
export interface RowJson {
  readonly repository: string | null
  readonly key: readonly KeyPartJson[]
  readonly value?: unknown
  readonly encoding?: 'superjson' | 'bytes' | 'u64'
  readonly types?: unknown
  readonly expiresAt?: number
  readonly versionstamp?: string
  readonly related?: { readonly [name: string]: readonly RowJson[] | RowJson | null }
  /** Why it cannot be read. */
  readonly damage?: string
}

/** A row in the page. */
export interface Row {
  /** Its key as JSON, which identifies it. */
  readonly name: string
  readonly key: Key
  readonly repository: string | null
  readonly value: unknown
  readonly versionstamp: string
  readonly expiresAt: number | null
  readonly related: { readonly [name: string]: readonly Row[] | Row | null }
  readonly damage: string | null
}

export function rowOf(json: RowJson): Row {
  const { key, repository, versionstamp = '', expiresAt = null, related = {}, damage = null } = json
  return {
    name: JSON.stringify(key),
    key: keyOfJson(key),
    repository,
    value: damage === null ? readValue(json) : undefined,
    versionstamp,
    expiresAt,
    related: Object.fromEntries(
      Object.entries(related).map(([name, rows]) => [
        name,
        rows === null
          ? null
          : 'key' in rows
            ? rowOf(rows as RowJson)
            : (rows as readonly RowJson[]).map(rowOf),
      ]),
    ),
    damage,
  }
}

function readValue({ value, encoding, types }: RowJson): unknown {
  if (encoding === 'u64') return new KvU64(BigInt(value as string))
  if (encoding === 'bytes') return new Uint8Array(Buffer.from(value as string, 'hex'))
  if (encoding !== 'superjson') return value
  return decodeValue(
    JSON.stringify(value, keepNegativeZero),
    Encoding.superjson,
    JSON.stringify(types),
    untoldFormat,
  )
}

/** The stored form of a value: `{ value, encoding, types }`. Throws a TypeError for a value that cannot be stored. */
export function valueJson(value: unknown): object {
  const { value: stored, encoding, types } = encodeValue(value, untoldFormat)
  if (typeof stored === 'string') {
    const json = parseJson(stored)
    if (encoding === Encoding.json) return { value: json }
    return { value: json, encoding: 'superjson', types: types === null ? undefined : parseJson(types) }
  }
  if ((encoding as EncodingId) === Encoding.u64)
    return { value: String((value as KvU64).value), encoding: 'u64' }
  return { value: Buffer.from(stored as Uint8Array<ArrayBuffer>).toString('hex'), encoding: 'bytes' }
}

/** For `JSON.stringify`, which would write -0 as 0. */
const keepNegativeZero = (_: string, value: unknown) => (Object.is(value, -0) ? rawNegativeZero : value)
const rawNegativeZero = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON('-0')

/** JSON that keeps -0. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, keepNegativeZero)
}
