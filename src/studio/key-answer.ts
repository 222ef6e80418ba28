import { storeOf } from '../api/database.ts'
import type { InspectedDatabase } from '../api/open.ts'
import { CorruptValueError } from '../contract/errors.ts'
import type { Key } from '../contract/key.types.ts'
import type { EngineName } from '../engines/engines.ts'
import { decodeKey, encodePrefix } from '../key/codec.ts'
import { keyJson, keyOfJson } from '../key/key-json.ts'
import { prefixRange } from '../key/range.ts'
import type { OpenedDatabase } from './opened-database.ts'
import { OwnTables } from './own-tables.ts'
import { checkLimit } from './row-answers.ts'
import { type ReadRow, rowJson } from './row-json.ts'

/**
 * Keys below a prefix that no pattern matches, `{ rows, cursor }`: those after the cursor, in the order of the keys. A key is below
 * the prefix if it begins with it, and its next part is text or a number.
 */
export async function keysAnswer(
  opened: OpenedDatabase,
  { prefix = [], after = null, limit = 100 }: { readonly [name: string]: unknown },
): Promise<string> {
  checkLimit(limit)
  if (after !== null && (typeof after !== 'string' || !/^(?:[\da-f]{2})+$/.test(after)))
    throw new TypeError('after must be the cursor of an earlier page')
  const db = await opened.database()
  const range = prefixRange(encodePrefix(keyOfJson(prefix)))
  const from = after === null ? null : Buffer.from(after, 'hex')
  const found = await new OwnTables(db).otherKeys(range, from, limit)
  const rows = await rowsOf(
    db,
    found.map((key) => decodeKey(key)),
  )
  const last = found.length < limit ? null : found.at(-1)!.toString('hex')
  return `{"rows":[${rows.join(',')}],"cursor":${JSON.stringify(last)}}`
}

async function rowsOf(db: InspectedDatabase<EngineName>, keys: readonly Key[]): Promise<string[]> {
  const rows: string[] = []
  for (const key of keys) {
    try {
      const entry = await db.get(key)
      if (entry.versionstamp !== null) rows.push(rowJson(entry as ReadRow, storeOf(db)!))
    } catch (error) {
      if (!(error instanceof CorruptValueError)) throw error
      rows.push(JSON.stringify({ key: keyJson(key), damage: error.message }))
    }
  }
  return rows
}
