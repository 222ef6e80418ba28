import { decodeKey } from '../../key/codec.ts'
import { decodeValue } from '../../value/codec.ts'
import { UnknownValueType } from '../../value/read-typed.ts'
import type { KeyedRow, SalvagedRows, StoredRow, UnreadableRow } from '../driver.ts'
import { engineCode } from './engine-error.ts'
import { keyLabel } from './migrations/key-label.ts'

/** Every key is behind it, also one that is none: the engine has numbers before texts, and texts before bytes. */
export const beforeAll = Number.NEGATIVE_INFINITY

/** Reads the rows of a page of keys one by one, so that each that is damaged costs itself alone. */
export function salvageRows(
  page: readonly (readonly [unknown])[],
  limit: number,
  get: (key: Uint8Array) => StoredRow | null,
): SalvagedRows {
  const rows: KeyedRow[] = []
  const unreadable: UnreadableRow[] = []
  for (const [key] of page) {
    if (!(key instanceof Uint8Array)) {
      unreadable.push({ key: JSON.stringify(key), reason: 'Its key is no bytes' })
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
  if (expiresAt !== null && typeof expiresAt !== 'number') throw new Error('Its expiry is no time')
  try {
    decodeValue(value, encoding, types)
  } catch (error) {
    // A program that registers the type can read it.
    if (!(error instanceof UnknownValueType)) throw error
  }
}

/** Whether another row may be read where this one cannot be: its page may be damaged. */
function isOfRow(error: unknown): boolean {
  const code = engineCode(error)
  return code === undefined || code.startsWith('SQLITE_CORRUPT')
}
