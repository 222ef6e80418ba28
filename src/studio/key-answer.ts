import { and, asc, gt, gte, isNull, lt, or } from 'drizzle-orm'
import { storeOf } from '../api/database.ts'
import type { InspectedDatabase } from '../api/open.ts'
import { CorruptValueError } from '../contract/errors.ts'
import type { Key } from '../contract/key.types.ts'
import { decodeKey, encodePrefix } from '../key/codec.ts'
import { keyJson, keyOfJson } from '../key/key-json.ts'
import { prefixRange } from '../key/range.ts'
import type { OpenFile } from './open-file.ts'
import { checkLimit } from './row-answers.ts'
import { type ReadRow, rowJson } from './row-json.ts'

/**
 * Keys below a prefix that no pattern matches, `{ rows, cursor }`: those after the cursor, in the order of the keys. A key is below
 * the prefix if it begins with it, and its next part is text or a number.
 */
export async function keysAnswer(
  file: OpenFile,
  { prefix = [], after = null, limit = 100 }: { readonly [name: string]: unknown },
): Promise<string> {
  checkLimit(limit)
  if (after !== null && (typeof after !== 'string' || !/^(?:[\da-f]{2})+$/.test(after)))
    throw new TypeError('after must be the cursor of an earlier page')
  const db = await file.database()
  const { kv } = db.tables
  const { start, end } = prefixRange(encodePrefix(keyOfJson(prefix)))
  const found = db.drizzle
    .select({ key: kv.key })
    .from(kv)
    .where(
      and(
        isNull(kv.collection),
        after === null ? gte(kv.key, Buffer.from(start)) : gt(kv.key, Buffer.from(after, 'hex')),
        lt(kv.key, Buffer.from(end)),
        or(isNull(kv.expiresAt), gt(kv.expiresAt, Date.now())),
      ),
    )
    .orderBy(asc(kv.key))
    .limit(limit)
    .all()
  const rows = await rowsOf(
    db,
    found.map(({ key }) => decodeKey(key)),
  )
  const last = found.length < limit ? null : found.at(-1)!.key.toString('hex')
  return `{"rows":[${rows.join(',')}],"cursor":${JSON.stringify(last)}}`
}

async function rowsOf(db: InspectedDatabase, keys: readonly Key[]): Promise<string[]> {
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
