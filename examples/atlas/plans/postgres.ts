import { sql } from 'drizzle-orm'
import type { Atlas } from '../atlas.ts'
import type { Statement } from '../statements.ts'

/** How PostgreSQL runs a statement, step by step. */
export async function planOnPostgres(atlas: Atlas, { text, operands }: Statement): Promise<string[]> {
  // Its text has operands as $1, $2 and so on, where Drizzle takes them one by one.
  const parts = text
    .split(/\$(\d+)/)
    .map((part, i) => (i % 2 === 0 ? sql.raw(part) : sql.param(operands[Number(part) - 1])))
  const { rows } = await atlas
    .as('postgres')
    .drizzle.execute<{ 'QUERY PLAN': string }>(sql`explain (costs off) ${sql.join(parts)}`)
  return rows.map((row) => row['QUERY PLAN'])
}
