import { withoutMeta } from '../server/server-error.ts'
import type { Row } from '../server/statement.types.ts'

/** What was read of the row of `kv_meta`. Throws a StorageError if it is missing. */
export function metaRow(row: Row | undefined): Row {
  if (row === undefined) throw withoutMeta()
  return row
}
