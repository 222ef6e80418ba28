import { CorruptKeyError, CorruptValueError } from '../../../contract/errors.ts'
import { decodeKey } from '../../../key/codec.ts'
import type { CommitBatch } from '../../driver.ts'
import { engineCode, isUnanswerable } from '../file/engine-error.ts'
import { openConnection } from '../module/open-connection.ts'
import type { Connection, SqliteModule } from '../module/sqlite-module.ts'
import { quoteText } from '../tables/table.ts'
import type { Statement } from './statement.ts'

/** Whether the engine cannot read the fields of a row: its value or its types are not JSON. */
export const isDamaged =
  'encoding IN (0, 1) AND (NOT json_valid(value) OR (encoding = 1 AND json_valid(types) IS NOT 1))'

/** The statement that tells whether an index over fields may prevent writing the row under a key. */
interface DamageStatements {
  readonly isInTheWay: Statement<[Uint8Array], readonly [number]>
}

/** Whether one of the rows to write is damaged. */
export function concernsDamaged({ writes }: CommitBatch, { isInTheWay }: DamageStatements): boolean {
  return writes.some(({ mutations }) => mutations.some(({ key }) => isInTheWay.get(key)?.[0] === 1))
}

/** The error that names the row of a collection because of which a query failed; `cause` itself if no row is damaged. */
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
 * Permanently gives a connection a `->>` for which a value that is not JSON has no fields, where the engine's own fails. An index
 * then has null for such a row, and the row can be overwritten, removed and indexed. It otherwise behaves like the engine's,
 * several times slower. Text that is not Unicode comes out of the engine with U+FFFD, which would not match what the engine puts
 * into an index, so each text with U+FFFD fails with `SQLITE_MISMATCH`. The function's text also runs on other threads, so it can
 * only use its arguments.
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

/** Whether a text keeps a connection that skips damaged rows from computing an index entry. */
export function isOfText(error: unknown): boolean {
  return engineCode(error) === 'SQLITE_MISMATCH'
}

/**
 * What the engine's check finds wrong in pages and indexes, in its words, at most `most` problems. If a damaged row is in its way,
 * the connection skips such rows from then on; if a text then is, the fields in indexes are not compared.
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
