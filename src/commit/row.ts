import type { Key } from '../contract/key.types.ts'

/** What is stored under a key, with the value still encoded. `expiresAt` in milliseconds since the epoch. */
export interface StoredRow {
  readonly value: string | Uint8Array
  readonly encoding: number
  readonly types: string | null
  readonly version: number
  readonly expiresAt: number | null
}

/** A row that a query has found. */
export interface FoundRow extends StoredRow {
  readonly key: Key
}

/** The part of a row that is its value. */
export type StoredForm = Pick<StoredRow, 'value' | 'encoding' | 'types'>

/** Whether two values have the same stored form. */
export function sameForm(a: StoredForm, b: StoredForm): boolean {
  if (a.encoding !== b.encoding || a.types !== b.types) return false
  if (typeof a.value === 'string' || typeof b.value === 'string') return a.value === b.value
  return Buffer.compare(a.value, b.value) === 0
}

/** Whether a row with this expiry is gone at this time. Both in milliseconds since the epoch; null: never. */
export function hasExpired(expiresAt: number | null, now: number): boolean {
  return expiresAt !== null && expiresAt <= now
}
