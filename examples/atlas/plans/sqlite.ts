import type { Atlas } from '../atlas.ts'
import type { Statement } from '../statements.ts'

/** How SQLite runs a statement, step by step. */
export function planOnSqlite(atlas: Atlas, { text, operands }: Statement): string[] {
  return atlas
    .as('sqlite')
    .drizzle.$client.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${text}`)
    .all(...operands)
    .map(({ detail }) => detail)
}
