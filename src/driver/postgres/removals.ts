import type { SweepOutcome } from '../driver.ts'
import type { Statements } from './rows/statements.ts'
import type { RunStatement } from './server/statement.types.ts'

/** Removes at most `limit` expired rows. */
export async function sweepRows(
  { sweep }: Statements,
  run: RunStatement,
  limit: number,
  lockTimeout: number,
): Promise<SweepOutcome & { readonly latest: number }> {
  const [row] = await run(sweep, [limit, String(lockTimeout)])
  const [removed, latest, next] = row as [number, number, number | null]
  return { removed, next, latest }
}

/** Removes every row; returns the versions before and after. */
export async function clearRows(
  { clear }: Statements,
  run: RunStatement,
  lockTimeout: number,
): Promise<{ readonly before: number; readonly latest: number }> {
  const [row] = await run(clear, [String(lockTimeout)])
  const [before, latest] = row as [number, number]
  return { before, latest }
}
