import { isDeepStrictEqual } from 'node:util'
import type { MigratedCollection } from '../driver/sqlite/migrations/folder.ts'
import { parsePatternText } from '../driver/sqlite/pattern-text.ts'
import { MigrationError } from '../errors.ts'
import { compareParts, encodePrefix } from '../key/codec.ts'
import { compareSpecificity } from '../key/pattern.ts'
import type { Pattern } from '../key/pattern.types.ts'
import type { CollectionComparison, KeptCollection } from './compare-collections.ts'
import { changeSql, logCommit, logDeletions, quote, refile, rekey } from './value-sql.ts'

/** The statements that change what is stored: collections that went or have another name, keys, values, the catalog. */
export function collectionSql(
  { kept, removed, added }: CollectionComparison,
  next: readonly MigratedCollection[],
): string[] {
  const moved = kept.filter(({ last, next }) => last.name !== next.name || last.pattern !== next.pattern)
  const statements: string[] = []
  for (const { name, pattern } of removed) {
    statements.push(refile(name, heir(parsePatternText(pattern), next)))
    statements.push(`DELETE FROM kv_collections WHERE name = ${quote(name)}`)
  }
  const rekeyed = moved.filter(({ last, next }) => last.pattern !== next.pattern)
  statements.push(...rekeyed.map(({ last }) => logDeletions(last.name)))
  for (const { last, next } of rekeyed) statements.push(rekeySql(last, next))
  for (const { last, next } of moved)
    if (last.name !== next.name) statements.push(refile(last.name, next.name))
  const values = kept.flatMap(({ next, changes, reasons }) =>
    reasons.length > 0 ? [] : changes.flatMap((change) => changeSql(next.name, change)),
  )
  statements.push(...values)
  if (values.length + rekeyed.length > 0) statements.push(logCommit())
  statements.push(...kept.flatMap(catalogSql))
  if (moved.length + removed.length > 0 && added.length === 0) statements.push(...newCatalogVersion)
  return statements
}

/** The collection that the keys of a pattern that is gone belong to now. */
function heir(pattern: Pattern, collections: readonly MigratedCollection[]): string | null {
  const covering = collections
    .map(({ name, pattern }) => ({ name, pattern: parsePatternText(pattern) }))
    .filter((it) => it.pattern.length === pattern.length)
    .filter((it) => it.pattern.every((part, i) => part === '*' || compareParts(part, pattern[i]!) === 0))
    .sort((a, b) => compareSpecificity(a.pattern, b.pattern))
  return covering[0]?.name ?? null
}

function rekeySql(last: MigratedCollection, next: MigratedCollection): string {
  const before = parsePatternText(last.pattern)
  const after = parsePatternText(next.pattern)
  const ends = [before, after].map((pattern) =>
    pattern.includes('*') ? pattern.indexOf('*') : pattern.length,
  )
  if (!isDeepStrictEqual(before.slice(ends[0]), after.slice(ends[1]))) {
    throw new MigrationError(
      `The pattern of ${next.name} has changed behind its first '*' (${last.pattern} → ${next.pattern}), which SQL cannot follow: declare it beside the old one, copy the rows in a program, and remove the old one later`,
    )
  }
  return rekey(last.name, encodePrefix(before.slice(0, ends[0])), encodePrefix(after.slice(0, ends[1])))
}

function catalogSql({ last, next }: KeptCollection): string[] {
  const { name, pattern, schema } = next
  const changed = Object.entries({ name, pattern, schema: schema && JSON.stringify(schema) }).filter(
    ([column, value]) =>
      value !==
      (column === 'schema' ? last.schema && JSON.stringify(last.schema) : last[column as 'name' | 'pattern']),
  )
  if (changed.length === 0) return []
  const set = changed.map(([column, value]) => `${column} = ${value === null ? 'NULL' : quote(value)}`)
  return [`UPDATE kv_collections SET ${set.join(', ')}\nWHERE name = ${quote(last.name)}`]
}

/** Lets processes that have the database open know that rows are filed otherwise now. */
const newCatalogVersion = [
  "INSERT INTO kv_log (version, at, changes)\nSELECT coalesce(max(version), 0) + 1, CAST(unixepoch('subsec') * 1000 AS INTEGER), x'' FROM kv_log",
  'UPDATE kv_collections SET version = (SELECT max(version) FROM kv_log)',
]
