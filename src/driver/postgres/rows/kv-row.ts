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

/** Up to this many keys, finding rows takes the server less time than planning how to. */
export const fewKeys = 32

/**
 * Selects these columns of the rows under a few keys, an array that is a parameter. The server keeps one plan for it: it cannot see
 * how many keys there are, for which it would plan every time, and it looks up each key by itself, in the index.
 */
export function rowsOfFew(schema: string, keys: `$${number}`, columns: string, where = 'true'): string {
  const found = `select kv.* from ${quoteName(schema)}.kv where kv.key = k.key limit 1`
  return `select ${columns} from unnest((select ${keys}::bytea[])) k(key) cross join lateral (${found}) kv where ${where}`
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
