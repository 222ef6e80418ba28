import { readChanges } from '../../commit/log-format.ts'
import type { CheckConflict, ReadSet } from '../../commit/write.ts'
import { keyText } from '../../key/key-text.ts'
import { contains } from '../../key/range.ts'
import { type ApplyContext, failedChecks } from './apply-write.ts'
import type { Statements } from './statements.ts'

const commitsPerPage = 1_000

/**
 * The keys of a read set that later commits have changed; `null` where it still holds. When a row has expired since, it is
 * given, or every key; when the log does not tell, as where it is trimmed or damaged, the keys are looked up, and
 * ranges count as changed.
 */
export function changedReads(
  reads: ReadSet,
  latest: number,
  { statements, now }: Pick<ApplyContext, 'statements' | 'now'>,
): CheckConflict[] | null {
  const { since, at, keys, ranges, validUntil } = reads
  if (validUntil !== null && validUntil <= now) {
    return keys.map(({ key, version }) => ({ key, expected: version, actual: null }))
  }
  for (const [key, version] of ranges.length === 0 ? [] : statements.expiredBetween.all(at, now)) {
    if (ranges.some((range) => contains(range, key))) return [{ key, expected: version, actual: null }]
  }
  if (latest === since || keys.length + ranges.length === 0) return null
  const oldest = statements.oldestVersion.get()![0] ?? 0
  const logged = oldest <= since + 1 ? loggedConflicts(reads, latest, statements) : null
  if (logged !== null) return logged.length > 0 ? logged : null
  const conflicts = failedChecks(keys, { statements, now })
  return conflicts.length + ranges.length > 0 ? conflicts : null
}

/** Each key once, with what the newest commit made of it. `null`: the log does not tell. */
function loggedConflicts(
  { since, keys, ranges }: ReadSet,
  latest: number,
  statements: Statements,
): CheckConflict[] | null {
  const read = new Map(keys.map(({ key, version }) => [keyText(key), version]))
  const conflicts = new Map<string, CheckConflict>()
  for (let version = since; version < latest; ) {
    const commits = statements.logSince.all(version, commitsPerPage)
    for (const [committed, , bytes] of commits) {
      const changes = readChanges(bytes)
      if (changes === null) return null
      for (const { type, key } of changes) {
        const text = keyText(key)
        const expected = read.get(text)
        if (expected === undefined && !ranges.some((range) => contains(range, key))) continue
        conflicts.set(text, { key, expected: expected ?? null, actual: type === 'set' ? committed : null })
      }
    }
    version = commits.at(-1)?.[0] ?? latest
  }
  return [...conflicts.values()]
}
