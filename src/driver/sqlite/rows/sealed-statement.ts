import { sealed, unsealed } from '../../../value/checksum.ts'
import type { KvRow, NewRow, ReplacingRow } from './kv-row.ts'
import { Statement } from './statement.ts'

/** Reads rows of a file whose values have checksums. */
export class UnsealingStatement<
  Parameters extends readonly (string | number | Uint8Array | null)[],
  Row extends readonly unknown[],
> extends Statement<Parameters, Row> {
  override get(...parameters: Parameters): Row | undefined {
    const row = super.get(...parameters)
    return row && unsealedColumns(row)
  }
}

/** Writes rows of such a file. */
export class SealingStatement extends Statement<NewRow, never> {
  override run(...row: NewRow): number {
    const [key, collection, encoding, types, version, expiresAt, value] = row
    const stored = sealed({ value, encoding, types })
    return super.run(key, collection, encoding, types, version, expiresAt, stored.value)
  }
}

/** Replaces rows in such a file. */
export class SealingReplacement extends Statement<ReplacingRow, never> {
  override run(...row: ReplacingRow): number {
    const [value, encoding, types, ...rest] = row
    const stored = sealed({ value, encoding, types })
    return super.run(stored.value, encoding, types, ...rest)
  }
}

/** The columns of a row that begins like `KvRow`, without the checksum of its value. */
export function unsealedColumns<Row extends readonly unknown[]>(row: Row): Row {
  const [value, encoding, types, ...rest] = row as unknown as KvRow
  const stored = unsealed({ value, encoding, types })
  return [stored.value, stored.encoding, types, ...rest] as unknown as Row
}
