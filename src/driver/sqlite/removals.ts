import { keysPerLogRow } from '../../commit/log-format.ts'
import type { LogRetention } from '../../commit/retention.ts'
import { StorageError } from '../../contract/errors.ts'
import { compareBytes } from '../../key/codec.ts'
import type { SweepOutcome } from '../driver.ts'
import { trimLog } from './commit/trim-log.ts'
import type { PooledConnection } from './connections/pooled-connection.ts'
import { isOfText } from './rows/damaged-rows.ts'
import { latestVersion, type Statements } from './rows/statements.ts'

type Connection = Pick<PooledConnection, 'statements' | 'transactions' | 'log' | 'hot'>

const noKey = new Uint8Array()

/** Removes every row, unless the signal is aborted by then; the log reports all of them. */
export function clearRows(
  { statements, transactions, log, hot }: Connection,
  retention: LogRetention,
  signal: AbortSignal | undefined,
): void {
  signal?.throwIfAborted()
  transactions.run('write', () => {
    const before = latestVersion(statements)
    const now = Date.now()
    let version = before
    for (let last: Uint8Array | undefined = noKey; last !== undefined; ) {
      const keys: (readonly [Uint8Array])[] = statements.allKeys.all(last, keysPerLogRow)
      if (!keys.every(([key]) => key instanceof Uint8Array) || isBehind(last, keys.at(-1)?.[0])) {
        throw new StorageError('SQLITE_CORRUPT', 'The keys are not keys, or out of order')
      }
      if (keys.length > 0 || last === noKey) {
        version += 1
        for (const [key] of keys) log.add('delete', key)
        statements.appendLog.run(version, now, log.take())
      }
      last = keys.at(-1)?.[0]
    }
    hot.forgetAll()
    statements.removeAll.run()
    trimLog(statements, retention, before, version, now)
  })
}

/** Removes at most `limit` expired rows. */
export function sweepRows(
  { statements, transactions, log, hot }: Connection,
  retention: LogRetention,
  limit: number,
): SweepOutcome {
  return transactions.run('write', () => {
    const now = Date.now()
    const keys = statements.expired.all(now, limit)
    let removed = 0
    for (const [key] of keys) {
      if (statements.remove.run(key) === 0) continue
      removed += 1
      // Nobody watches a damaged key, or has its row in memory.
      if (!(key instanceof Uint8Array)) continue
      hot.forget(key)
      log.add('expire', key)
    }
    if (removed < keys.length) {
      throw new StorageError('SQLITE_CORRUPT', 'The index of expiring rows names rows that do not exist')
    }
    if (removed > 0) {
      const before = latestVersion(statements)
      statements.appendLog.run(before + 1, now, log.take())
      trimLog(statements, retention, before, before + 1, now)
    }
    return { removed, next: nextExpiry(statements) }
  })
}

/**
 * Sweeps at most `limit` rows; one by one if the text of one of them is in the way: alone, such a row is not written together with a
 * damaged one.
 */
export function sweepPastDamage(swept: (most: number) => SweepOutcome, limit: number): SweepOutcome {
  try {
    return swept(limit)
  } catch (error) {
    if (!isOfText(error)) throw error
    let removed = 0
    for (;;) {
      const one = swept(1)
      removed += one.removed
      if (one.removed === 0 || removed === limit) return { ...one, removed }
    }
  }
}

/** When the next row expires, in milliseconds since the epoch. */
export function nextExpiry({ nextExpiry }: Statements): number | null {
  const next = nextExpiry.get()![0]
  // A damaged time does not count.
  return typeof next === 'number' ? next : null
}

/** Whether the keys of a page that begins after `last` are out of order. */
function isBehind(last: Uint8Array, end: Uint8Array | undefined): boolean {
  return end !== undefined && compareBytes(end, last) <= 0
}
