import type { MovedRow } from './row-line.ts'

/** Something in a source that is not a row: why, and what to show of it. */
export interface UnreadRow {
  readonly error: string
  readonly shown: { readonly [name: string]: unknown }
}

/** The rows to import, one after the other. */
export type Source = AsyncIterable<MovedRow | UnreadRow>

export function isUnread(row: MovedRow | UnreadRow): row is UnreadRow {
  return 'error' in row
}
