/** What is stored under a key, with the value still encoded. `expiresAt` in milliseconds since the epoch. */
export interface StoredRow {
  readonly value: string | Uint8Array
  readonly encoding: number
  readonly types: string | null
  readonly version: number
  readonly expiresAt: number | null
}

/** Whether a row with this expiry is gone at this time. Both in milliseconds since the epoch; null: never. */
export function hasExpired(expiresAt: number | null, now: number): boolean {
  return expiresAt !== null && expiresAt <= now
}
