import { decodeKey } from '../../../key/codec.ts'
import type { KeyedRow, StoredRow } from '../../driver.ts'
import type { Row } from '../server/statement.types.ts'
import { unescapeJson } from '../values/json-text.ts'

/** The columns of a row of `kv`, in the order in which `storedRow` reads them. */
export const rowColumns = 'kv.value, kv.raw, kv.encoding, kv.types, kv.version, kv.expires_at'
export const keyedColumns = `${rowColumns}, kv.key`

/** A row whose first columns are `rowColumns`. */
export function storedRow(row: Row): StoredRow {
  const [value, raw, encoding, types, version, expiresAt] = row as [
    string | null,
    Uint8Array | null,
    number,
    string | null,
    number,
    number | null,
  ]
  return { value: value === null ? raw! : unescapeJson(value), encoding, types, version, expiresAt }
}

/** A row whose first columns are `keyedColumns`. */
export function keyedRow(row: Row): KeyedRow {
  return { ...storedRow(row), key: decodeKey(row[6] as Buffer) }
}
