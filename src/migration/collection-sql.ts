import { isDeepStrictEqual } from 'node:util'
import { parsePatternText } from '../catalog/pattern-text.ts'
import type { MigratedCollection } from '../driver/sqlite/migrations/folder.ts'
import { MigrationError } from '../errors.ts'
import { compareParts, encodePrefix } from '../key/codec.ts'
import type { Pattern } from '../key/pattern.types.ts'
import { changeText } from './change-text.ts'
import type { CollectionComparison, KeptCollection } from './compare-collections.ts'
import { logCommit, logDeletions, newCatalogVersion, nextVersion, removeExpired } from './log-sql.ts'
import { moveOrder } from './move-order.ts'
import { changeSql, quote } from './value-sql.ts'

/**
 * The statements that change what is stored: collections that went or have another name, keys, values, the catalog. What a statement
 * cannot tell is which rows a pattern matches that is new or has to stand in for another one: such a collection leaves the
 * catalog, and files its rows when it is registered again.
 */
export function collectionSql(
  { kept, removed, added }: CollectionComparison,
  next: readonly MigratedCollection[],
  buildsUnique: boolean,
): string[] {
  const statements = removed.flatMap(({ name }) =>
    told(`${name} is gone, and its rows stay`, refile(name, null)),
  )
  const rekeyed = kept.filter(({ last, next }) => last.pattern !== next.pattern)
  for (const pair of rekeyed) {
    const { last, next } = pair
    const deletions = logDeletions(`collection = ${quote(last.name)}`)
    statements.push(
      ...told(`${last.name}: ${last.pattern} is ${next.pattern} now`, deletions, rekeySql(pair)),
    )
  }
  const renamed = kept.filter(({ last, next }) => last.name !== next.name)
  const moves = moveOrder(
    renamed.map(({ last, next }) => [last.name, next.name] as const),
    '~',
  )
  for (const [from, to] of moves) statements.push(...told(`${from} is named ${to} now`, refile(from, to)))
  const values = kept.flatMap(({ next, changes, reasons }) =>
    (reasons.length > 0 ? [] : changes).flatMap((change) =>
      told(`${next.name}: ${changeText(change).join(', ')}`, ...changeSql(next.name, change)),
    ),
  )
  statements.push(...values)
  const changesRows = values.length + rekeyed.length > 0
  if (changesRows) statements.push(...told('What was changed above is one commit', logCommit()))
  if (changesRows || buildsUnique) statements.unshift(...told('Rows that have expired go', ...removeExpired))
  const changed = [...removed, ...rekeyed.flatMap(({ last, next }) => [last, next])]
  const anew = next.filter(({ pattern }) => changed.some((it) => mayShareKeys(it.pattern, pattern)))
  const catalog = catalogSql(kept, [...removed, ...anew])
  const filesRows = removed.length + renamed.length > 0
  if (filesRows && added.length + anew.length === 0) catalog.push(...newCatalogVersion)
  return [...statements, ...told('The catalog', ...catalog)]
}

/** Statements under a comment that says what they do. */
function told(text: string, ...statements: readonly string[]): string[] {
  // The comment ends with its line, and must not end the statement.
  const comment = `-- ${text.replaceAll(/\s+/g, ' ').replaceAll('-->', '->')}\n`
  return statements.map((statement, at) => (at === 0 ? comment : '') + statement)
}

/** Brings the catalog to the present names and schemas, but for collections that are to be registered anew. */
function catalogSql(kept: readonly KeptCollection[], gone: readonly MigratedCollection[]): string[] {
  const leaving = kept.filter(({ last, next }) => last.name !== next.name || gone.includes(next))
  const names = new Set([...gone, ...leaving.map(({ last }) => last)].map(({ name }) => name))
  const statements = [...names].map((name) => `DELETE FROM kv_collections WHERE name = ${quote(name)}`)
  for (const { last, next } of kept) {
    const { name, pattern, schema } = next
    const text = schema === null ? 'NULL' : quote(JSON.stringify(schema))
    if (gone.includes(next)) continue
    if (names.has(last.name)) {
      statements.push(
        `INSERT INTO kv_collections (name, pattern, schema, version)\nVALUES (${quote(name)}, ${quote(pattern)}, ${text}, 0)`,
      )
    } else if (JSON.stringify(last.schema) !== JSON.stringify(schema)) {
      statements.push(`UPDATE kv_collections SET schema = ${text}\nWHERE name = ${quote(name)}`)
    }
  }
  return statements
}

/** Whether one key can match both patterns. */
function mayShareKeys(a: string, b: string): boolean {
  const [one, other] = [parsePatternText(a), parsePatternText(b)]
  const fits = (i: number) => one[i] === '*' || other[i] === '*' || compareParts(one[i]!, other[i]!) === 0
  return one.length === other.length && one.every((_, i) => fits(i))
}

/** Gives the keys of a collection another beginning. */
function rekeySql({ last, next }: KeptCollection): string {
  const before = parsePatternText(last.pattern)
  const after = parsePatternText(next.pattern)
  const [from, to] = [before, after].map(beginningOf) as [Pattern, Pattern]
  if (!isDeepStrictEqual(before.slice(from.length), after.slice(to.length))) {
    throw new MigrationError(
      `The pattern of ${next.name} has changed behind its first '*' (${last.pattern} → ${next.pattern}), which SQL cannot follow: declare it beside the old one, copy the rows in a program, and remove the old one later`,
    )
  }
  const beginning = quote(Buffer.from(encodePrefix(to)).toString('hex'))
  const key = `unhex(${beginning} || hex(substr(key, ${encodePrefix(from).length + 1})))`
  return `UPDATE kv SET key = ${key}, version = ${nextVersion}\nWHERE collection = ${quote(last.name)}`
}

/** The parts of a pattern before its first wildcard. */
function beginningOf(pattern: Pattern): Pattern {
  const wildcard = pattern.indexOf('*')
  return wildcard < 0 ? pattern : pattern.slice(0, wildcard)
}

/** Files the rows of a collection under another one, or under none. */
function refile(from: string, to: string | null): string {
  const target = to === null ? 'NULL' : quote(to)
  return `UPDATE kv SET collection = ${target} WHERE collection = ${quote(from)}`
}
