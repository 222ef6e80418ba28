import { CorruptKeyError, CorruptValueError } from '../../../contract/errors.ts'
import { decodeKey } from '../../../key/codec.ts'
import { engineCode, isUnanswerable } from '../file/engine-error.ts'
import { openConnection } from '../module/open-connection.ts'
import type { Connection, SqliteModule } from '../module/sqlite-module.ts'
import { quoteText } from '../tables/table.ts'

/** Whether the engine cannot tell the fields of a row: its value is not JSON, or what stands for its types is none. */
export const isDamaged =
  'encoding IN (0, 1) AND (NOT json_valid(value) OR (encoding = 1 AND json_valid(types) IS NOT 1))'

/** Tells which row of a collection keeps a query from being answered; gives `cause` back where none is damaged. */
export function damagedRowError(connection: Connection, collection: string, cause: unknown): unknown {
  const key = connection
    .prepare<[], Uint8Array>(
      `SELECT key FROM kv WHERE collection = ${quoteText(collection)} AND ${isDamaged} LIMIT 1`,
    )
    .pluck()
    .get()
  if (key === undefined) return cause
  try {
    return new CorruptValueError(decodeKey(key), cause)
  } catch (error) {
    if (error instanceof CorruptKeyError) return error
    throw error
  }
}

/**
 * Gives a connection, for good, a `->>` by which a value that is not JSON has no fields, where the engine's own fails: an index holds
 * null of such a row then, and the row can be overwritten, removed and indexed. It is the engine's in all else, and several times slower.
 * A text that is no Unicode comes out of the engine with U+FFFD in it, and would not be in an index as the engine has it: so each text
 * with U+FFFD fails by `SQLITE_MISMATCH`.
 * Its text runs on other threads too: it knows nothing but its arguments there.
 */
export function passOverDamage(connection: Connection, open: SqliteModule['open'] = openConnection): void {
  const fieldOf = open(':memory:', { create: true }).prepare('SELECT ? ->> ?').pluck().safeIntegers()
  connection.function('->>', { deterministic: true }, (value, path) => {
    let field: unknown
    try {
      field = fieldOf.get(value, path)
    } catch {
      return null
    }
    if (typeof field !== 'string' || !field.includes('\ufffd')) return field
    throw Object.assign(
      new Error(
        'A text that is not Unicode, or contains U+FFFD, cannot be written to an index together with a damaged row: delete the damaged row first',
      ),
      { code: 'SQLITE_MISMATCH' },
    )
  })
}

/** Whether a text keeps a connection that passes over damaged rows from working out what an index has of it. */
export function isOfText(error: unknown): boolean {
  return engineCode(error) === 'SQLITE_MISMATCH'
}

/**
 * What the engine's own check finds wrong in pages and indexes: so many problems at most, in its words. Where a damaged row is in
 * its way, the connection passes over such rows from then on; where a text is then, what indexes hold of fields is not compared.
 */
export function checkIntegrity(connection: Connection, most: number): string[] {
  const check = (how: string) => connection.prepare<[], string>(`PRAGMA ${how}(${most})`).pluck().all()
  const unlessFor = (isReason: (error: unknown) => boolean, how: string, otherwise: () => string[]) => {
    try {
      return check(how)
    } catch (error) {
      if (!isReason(error)) throw error
      return otherwise()
    }
  }
  const found = unlessFor(isUnanswerable, 'integrity_check', () => {
    passOverDamage(connection)
    return unlessFor(isOfText, 'integrity_check', () => check('quick_check'))
  })
  return found.filter((problem) => problem !== 'ok')
}
