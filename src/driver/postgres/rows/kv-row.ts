import { decodeKey } from '../../../key/codec.ts'
import type { KeyedRow, StoredRow } from '../../driver.ts'
import { quoteName } from '../server/sql-text.ts'
import type { Row } from '../server/statement.types.ts'
import { unescapeJson } from '../values/json-text.ts'

/** The columns of a row of `kv`, in the order in which `storedRow` reads them. */
export const rowColumns = 'kv.value, kv.raw, kv.encoding, kv.types, kv.version, kv.expires_at'
export const keyedColumns = `${rowColumns}, kv.key`

/**
 * The version of the catalogue, the last column of every row that is read of a collection: it shows by which catalogue the rows
 * were filed.
 */
export function catalogColumn(schema: string): string {
  return `(select m.catalog from ${quoteName(schema)}.kv_meta m where m.one)`
}

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
