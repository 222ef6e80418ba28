import { type LogRetention, lastTrimmed, trimOf } from '../../../commit/retention.ts'
import type { Statements } from '../rows/statements.ts'

/** Trims `kv_log` if that is due after commits of these versions, inside their transaction; `now` in ms since the epoch. */
export function trimLog(
  { oldestLog, trimLog }: Statements,
  retention: LogRetention,
  before: number,
  latest: number,
  now: number,
): void {
  const trim = trimOf(retention, before, latest, now)
  if (trim === null) return
  const last = lastTrimmed(trim, oldestLog.iterate(trim.look))
  if (last !== null) trimLog.run(last)
}
