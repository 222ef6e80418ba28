import { type Placeholder, type SQL, sql } from 'drizzle-orm'

/**
 * The operand of a LIMIT or OFFSET. SQLite plans a statement for the value of a bare parameter there, and plans it again each
 * time that one is bound, which takes longer than most queries; what it has to work out it leaves to the run.
 */
export function plannedOnce(operand: Placeholder | SQL): SQL {
  return sql`${operand} + 0`
}
