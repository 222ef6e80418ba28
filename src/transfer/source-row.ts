import type { MovedRow } from './row-line.ts'

/** Something in a source that is not a row: why, and what to tell a person of it. */
export interface UnreadRow {
  readonly error: string
  readonly shown: { readonly [name: string]: unknown }
}

/** What is to be imported, one after the other. */
export type Source = AsyncIterable<MovedRow | UnreadRow>

export function isUnread(row: MovedRow | UnreadRow): row is UnreadRow {
  return 'error' in row
}
