import { StorageError } from '../../../contract/errors.ts'
import { decodeKey } from '../../../key/codec.ts'
import { compareBytes } from '../../../key/compare.ts'
import { keyLabel } from '../../../key/key-label.ts'
import { decodeValue } from '../../../value/codec.ts'
import { UnknownValueType } from '../../../value/read-typed.ts'
import type { KeyedRow, SalvagedRows, StoredRow, UnreadableRow } from '../../driver.ts'
import { engineCode } from '../file/engine-error.ts'

/** Less than every key, even a damaged one: for the engine, numbers come before texts, and texts before bytes. */
export const beforeAll = Number.NEGATIVE_INFINITY

/** Throws if the keys of a page are not in order after the last one: then nobody knows where the next page begins. */
export function assertInOrder(after: unknown, page: readonly (readonly [unknown])[]): void {
  let last = after
  for (const [key] of page) {
    if (!isBehind(key, last)) {
      throw new StorageError(
        'SQLITE_CORRUPT',
        'The keys are out of order: repair their index with "valkeyrie doctor --repair", and export again',
      )
    }
    last = key
  }
}

/** In the engine's order. */
function isBehind(a: unknown, b: unknown): boolean {
  const byType = typeRank(a) - typeRank(b)
  if (byType !== 0) return byType > 0
  if (a instanceof Uint8Array) return compareBytes(a, b as Uint8Array) > 0
  if (typeof a === 'string') return compareBytes(Buffer.from(a), Buffer.from(b as string)) > 0
  return (a as number) > (b as number)
}

function typeRank(key: unknown): number {
  if (key instanceof Uint8Array) return 2
  return typeof key === 'string' ? 1 : 0
}

/** Reads the rows of a page one by one, so that a damaged one costs only itself. */
export function salvageRows(
  page: readonly (readonly [unknown])[],
  limit: number,
  get: (key: Uint8Array) => StoredRow | null,
): SalvagedRows {
  const rows: KeyedRow[] = []
  const unreadable: UnreadableRow[] = []
  for (const [key] of page) {
    if (!(key instanceof Uint8Array)) {
      unreadable.push({ key: JSON.stringify(key), reason: 'Its key is not bytes' })
      continue
    }
    try {
      const row = get(key)
      if (row === null) continue
      assertReadable(row)
      rows.push({ key: decodeKey(key), ...row })
    } catch (error) {
      if (!isOfRow(error)) throw error
      unreadable.push({ key: keyLabel(key), reason: (error as Error).message })
    }
  }
  const last = page.at(-1)?.[0] as SalvagedRows['next'] | undefined
  return { rows, unreadable, next: page.length < limit ? null : (last ?? null) }
}

function assertReadable({ value, encoding, types, expiresAt }: StoredRow): void {
  if (expiresAt !== null && typeof expiresAt !== 'number') throw new Error('Its expiry is not a time')
  try {
    decodeValue(value, encoding, types)
  } catch (error) {
    // A program that registers the type can read it.
    if (!(error instanceof UnknownValueType)) throw error
  }
}

/** Whether other rows may be readable although this one is not: its page may be damaged. */
function isOfRow(error: unknown): boolean {
  const code = engineCode(error)
  return code === undefined || code.startsWith('SQLITE_CORRUPT')
}
