import { isDeepStrictEqual } from 'node:util'
import { moveOrder } from '../catalog/move-order.ts'
import type { StoredChange, ToldChanges } from '../catalog/stored-change.ts'
import { MigrationError } from '../contract/errors.ts'
import type { MigratedCollection } from '../driver/migration.ts'
import { compareParts, encodePrefix } from '../key/codec.ts'
import type { Pattern } from '../key/pattern.types.ts'
import { parsePatternText } from '../key/pattern-text.ts'
import { changeText } from './change-text.ts'
import type { CollectionComparison, KeptCollection } from './compare-collections.ts'

/**
 * What to change in stored data: removed or renamed collections, keys, values, the catalogue. It cannot know which rows match a
 * pattern that is new or replaces another: such a collection leaves the catalogue, and files its rows when it is registered again.
 */
export function storedChanges(
  { kept, removed, added }: CollectionComparison,
  next: readonly MigratedCollection[],
  buildsUnique: boolean,
): ToldChanges[] {
  const groups = removed.map(({ name }) =>
    told(`${name} is gone, but its rows stay`, { type: 'refile', from: name, to: null }),
  )
  const rekeyed = kept.filter(({ last, next }) => last.pattern !== next.pattern)
  for (const { last } of rekeyed)
    groups.push(told(`${last.name}: its keys go`, { type: 'tellGone', collection: last.name }))
  for (const pair of rekeyed) {
    const { last, next } = pair
    groups.push(told(`${last.name}: ${last.pattern} is ${next.pattern} now`, rekey(pair)))
  }
  const renamed = kept.filter(({ last, next }) => last.name !== next.name)
  const moves = moveOrder(
    renamed.map(({ last, next }) => [last.name, next.name] as const),
    '~',
  )
  for (const [from, to] of moves)
    groups.push(told(`${from} is now named ${to}`, { type: 'refile', from, to }))
  const values = kept.flatMap(({ next: { name: collection }, changes, reasons }) =>
    (reasons.length > 0 ? [] : changes).map((change) =>
      told(`${collection}: ${changeText(change).join(', ')}`, { type: 'values', collection, change }),
    ),
  )
  groups.push(...values)
  const changesRows = values.length + rekeyed.length > 0
  if (changesRows) groups.push(told('What was changed above is one commit', { type: 'commit' }))
  if (changesRows || buildsUnique)
    groups.unshift(told('Rows that have expired go', { type: 'removeExpired' }))
  const changed = [...removed, ...rekeyed.flatMap(({ last, next }) => [last, next])]
  const again = next.filter(({ pattern }) => changed.some((it) => mayShareKeys(it.pattern, pattern)))
  const catalog = catalogChanges(kept, [...removed, ...again])
  const filesRows = removed.length + renamed.length > 0
  if (filesRows && added.length + again.length === 0) catalog.push({ type: 'renewCatalog' })
  return [...groups, told('The catalog', ...catalog)]
}

function told(text: string, ...changes: readonly StoredChange[]): ToldChanges {
  return { told: text, changes }
}

/** Brings the catalogue to the present names and schemas, except for collections that will be registered again. */
function catalogChanges(
  kept: readonly KeptCollection[],
  gone: readonly MigratedCollection[],
): StoredChange[] {
  const leaving = kept.filter(({ last, next }) => last.name !== next.name || gone.includes(next))
  const names = new Set([...gone, ...leaving.map(({ last }) => last)].map(({ name }) => name))
  const changes: StoredChange[] = [...names].map((collection) => ({ type: 'forget', collection }))
  for (const { last, next } of kept) {
    const { name: collection, pattern, schema } = next
    if (gone.includes(next)) continue
    if (names.has(last.name)) changes.push({ type: 'declare', collection, pattern, schema })
    else if (JSON.stringify(last.schema) !== JSON.stringify(schema))
      changes.push({ type: 'redeclare', collection, schema })
  }
  return changes
}

/** Whether some key can match both patterns. */
function mayShareKeys(a: string, b: string): boolean {
  const [one, other] = [parsePatternText(a), parsePatternText(b)]
  const fits = (i: number) => one[i] === '*' || other[i] === '*' || compareParts(one[i]!, other[i]!) === 0
  return one.length === other.length && one.every((_, i) => fits(i))
}

/** Gives the keys of a collection another beginning. */
function rekey({ last, next }: KeptCollection): StoredChange {
  const before = parsePatternText(last.pattern)
  const after = parsePatternText(next.pattern)
  const [from, to] = [before, after].map(beginningOf) as [Pattern, Pattern]
  if (!isDeepStrictEqual(before.slice(from.length), after.slice(to.length))) {
    throw new MigrationError(
      `The pattern of ${next.name} has changed after its first '*' (${last.pattern} → ${next.pattern}), which SQL cannot follow: declare the new one beside the old one, copy the rows in a program, and remove the old one later`,
    )
  }
  return { type: 'rekey', collection: last.name, from: encodePrefix(from), to: encodePrefix(to) }
}

/** The parts of a pattern before its first wildcard. */
function beginningOf(pattern: Pattern): Pattern {
  const wildcard = pattern.indexOf('*')
  return wildcard < 0 ? pattern : pattern.slice(0, wildcard)
}
