import { keyText } from '../key/key-text.ts'
import { contains } from '../key/range.ts'
import { failedChecks } from './checks.ts'
import type { CommitTransaction } from './transaction.ts'
import type { CheckConflict, ReadSet } from './write.ts'

/** What checking a read set needs. */
type Facts = Pick<CommitTransaction, 'versionOf' | 'oldestLogged' | 'loggedAfter' | 'expiredBetween'>

/**
 * The keys of a read set that commits up to `latest` have changed, at this time (ms since the epoch); `null` if the read set still
 * holds. If a row has expired since, returns that row, or every key. If the log was trimmed or is damaged, the keys are looked up,
 * and ranges count as changed.
 */
export function changedReads(
  reads: ReadSet,
  latest: number,
  now: number,
  facts: Facts,
): readonly CheckConflict[] | null {
  const { since, at, keys, ranges, validUntil } = reads
  if (validUntil !== null && validUntil <= now) {
    return keys.map(({ key, version }) => ({ key, expected: version, actual: null }))
  }
  for (const { key, version } of ranges.length === 0 ? [] : facts.expiredBetween(at, now)) {
    if (ranges.some((range) => contains(range, key))) return [{ key, expected: version, actual: null }]
  }
  if (latest === since || keys.length + ranges.length === 0) return null
  const logged = facts.oldestLogged() <= since + 1 ? loggedConflicts(reads, latest, facts) : null
  if (logged !== null) return logged.length > 0 ? logged : null
  const conflicts = failedChecks(keys, facts, now)
  return conflicts.length + ranges.length > 0 ? conflicts : null
}

/** Each key once, with what the newest commit did to it. `null`: the log does not say. */
function loggedConflicts(
  { since, keys, ranges }: ReadSet,
  latest: number,
  facts: Pick<Facts, 'loggedAfter'>,
): CheckConflict[] | null {
  const read = new Map(keys.map(({ key, version }) => [keyText(key), version]))
  const conflicts = new Map<string, CheckConflict>()
  for (let version = since; version < latest; ) {
    const commits = facts.loggedAfter(version)
    for (const { version: committed, changes } of commits) {
      if (changes === null) return null
      for (const { type, key } of changes) {
        const text = keyText(key)
        const expected = read.get(text)
        if (expected === undefined && !ranges.some((range) => contains(range, key))) continue
        conflicts.set(text, { key, expected: expected ?? null, actual: type === 'set' ? committed : null })
      }
    }
    version = commits.at(-1)?.version ?? latest
  }
  return [...conflicts.values()]
}
