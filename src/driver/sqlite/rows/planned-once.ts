import { type Placeholder, type SQL, sql } from 'drizzle-orm'

/**
 * The operand of a LIMIT or OFFSET. For a bare parameter, SQLite plans the statement by its value, again for each new value, which
 * takes longer than most queries. An expression is only evaluated when the statement runs.
 */
export function plannedOnce(operand: Placeholder | SQL): SQL {
  return sql`${operand} + 0`
}
