import type { Key } from '../contract/key.types.ts'
import { parseRowLine, rowLine } from '../transfer/row-line.ts'
import { decodeValue, encodeValue } from '../value/codec.ts'
import { untoldFormat } from './untold-type.ts'

/** A row from a read, with its related rows. */
export interface ReadRow {
  readonly key: Key
  readonly value: unknown
  readonly versionstamp: string | null
  readonly expiresAt: number | null
}

/** The names of related rows, at every level. */
export type RelatedNames = { readonly [name: string]: RelatedNames }

/** Finds the repository of a key; null if it has none. */
export interface Filing {
  collectionOf(key: Key): string | null
}

/** A row as JSON: its line of an export, with its versionstamp, and its related rows under `related`. */
export function rowJson(row: ReadRow, filing: Filing, related: RelatedNames = {}): string {
  const { key, value, versionstamp, expiresAt } = row
  const repository = filing.collectionOf(key)
  const stored = encodeValue(value, untoldFormat)
  const line = rowLine({ repository, key, stored, expiresAt, versionstamp: versionstamp! })
  const names = Object.keys(related)
  if (names.length === 0) return line
  const members = names.map((name) => {
    const loaded = (row as unknown as Record<string, readonly ReadRow[] | ReadRow | null>)[name]!
    return `${JSON.stringify(name)}:${relatedJson(loaded, filing, related[name]!)}`
  })
  return `${line.slice(0, -1)},"related":{${members.join(',')}}}`
}

function relatedJson(
  loaded: readonly ReadRow[] | ReadRow | null,
  filing: Filing,
  names: RelatedNames,
): string {
  if (loaded === null) return 'null'
  if (!('length' in loaded)) return rowJson(loaded, filing, names)
  return `[${loaded.map((row) => rowJson(row, filing, names)).join(',')}]`
}

/** The names that a `with` loads, at every level. */
export function relatedNames(wanted: unknown): RelatedNames {
  if (typeof wanted !== 'object' || wanted === null) return {}
  const names: Record<string, RelatedNames> = Object.create(null)
  for (const [name, query] of Object.entries(wanted)) {
    if (query !== undefined && query !== false) names[name] = relatedNames(Object(query).with)
  }
  return names
}

/** The key and value from `rowJson`, or from the page in the same form. Throws a TypeError for anything else. */
export function readRowJson(json: unknown): { readonly key: Key; readonly value: unknown } {
  try {
    const { key, stored } = parseRowLine(json)
    return { key, value: decodeValue(stored.value, stored.encoding, stored.types, untoldFormat) }
  } catch (error) {
    throw new TypeError((error as Error).message, { cause: error })
  }
}

/** A value without a key, in its stored form: `{ value, encoding, types }`. Throws a TypeError for anything else. */
export function readValueJson(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) throw new TypeError('a value is { value, encoding, types }')
  return readRowJson({ ...json, key: [], expiresAt: null }).value
}
