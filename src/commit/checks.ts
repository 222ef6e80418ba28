import { hasExpired } from './row.ts'
import type { CommitTransaction } from './transaction.ts'
import type { CheckConflict, KeyCheck } from './write.ts'

/** The conflicts of the checks that do not hold at this time (ms since the epoch). An expired row counts as no value. */
export function failedChecks(
  checks: readonly KeyCheck[],
  transaction: Pick<CommitTransaction, 'versionOf'>,
  now: number,
): CheckConflict[] {
  const conflicts: CheckConflict[] = []
  for (const { key, version } of checks) {
    const row = transaction.versionOf(key)
    const actual = row !== null && !hasExpired(row.expiresAt, now) ? row.version : null
    if (actual !== version) conflicts.push({ key, expected: version, actual })
  }
  return conflicts
}
