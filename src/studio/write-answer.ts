import { storeOf } from '../api/database.ts'
import { parseJson } from '../value/parse-json.ts'
import type { OpenedDatabase } from './opened-database.ts'
import { Refusal } from './refusal.ts'
import { type ReadRow, readRowJson, rowJson } from './row-json.ts'

/**
 * Writes one row, if it has the version that the page has read: `{ row, ifVersion, remove, expiry }`. `row`: from `rowJson`;
 * `ifVersion` null: there must be no row; `remove`: delete it; `expiry`: `'keep'`, null, or the time in milliseconds since the
 * epoch. Answers with the new row. A Refusal with code CONFLICT has the other row, or null if it is gone.
 */
export async function writeAnswer(
  opened: OpenedDatabase,
  { row: json, ifVersion, remove = false, expiry = 'keep' }: { readonly [name: string]: unknown },
): Promise<string> {
  if (opened.readOnly) throw new Refusal(403, 'READ_ONLY', 'The studio was started with --read-only')
  if (ifVersion !== null && typeof ifVersion !== 'string')
    throw new TypeError('ifVersion must be the versionstamp that was read, or null if there was no row')
  const db = await opened.database()
  const { key, value } = readRowJson(json)
  const store = storeOf(db)!
  const current = async () => {
    const entry = await db.get(key)
    return entry.versionstamp === null ? 'null' : rowJson(entry as ReadRow, store)
  }
  const operation = db.atomic().check({ key, versionstamp: ifVersion })
  if (remove === true) operation.delete(key)
  else operation.set(key, value, expiryOptions(expiry, store.now()))
  const { ok } = await operation.commit()
  if (!ok)
    throw new Refusal(409, 'CONFLICT', 'Somebody else has written this row since it was read', {
      current: parseJson(await current()),
    })
  return `{"row":${await current()}}`
}

function expiryOptions(
  expiry: unknown,
  now: number,
): { readonly keepExpiry: true } | { readonly expireIn: number } | undefined {
  if (expiry === null) return undefined
  if (expiry === 'keep') return { keepExpiry: true }
  if (!Number.isSafeInteger(expiry))
    throw new TypeError("expiry must be 'keep', null, or milliseconds since the epoch")
  return { expireIn: (expiry as number) - now }
}
