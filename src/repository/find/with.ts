import type { RelatedRow } from '../../driver/driver.ts'
import { encodeStoredKey } from '../../key/codec.ts'
import { keyText } from '../../key/key-text.ts'
import { keyOfId } from '../../key/pattern.ts'
import type { IdOf, Pattern } from '../../key/pattern.types.ts'
import type { FindPlan, Planned } from '../../query/plan.ts'
import { relate } from '../../query/planner.ts'
import { valueAt } from '../../query/stored-form.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import type { RowEntry, RowStore } from '../../store/row-store.ts'
import { inSlices } from '../../time/give-way.ts'
import { projectionOf } from './columns.ts'
import { type FoundRow, foundRows, planFind, type UntypedQuery } from './found-rows.ts'
import { plannerOf } from './planner-of.ts'
import { relatedQueries } from './related-queries.ts'

type Related = Record<string, readonly RowEntry[] | RowEntry | null>

/** The entries as the query asks for them: with related rows, and with the chosen fields. */
export async function present(
  store: RowStore,
  definition: AnyDefinition,
  query: UntypedQuery,
  found: readonly FoundRow[],
): Promise<RowEntry[]> {
  const project = projectionOf(query.columns, plannerOf(definition).fields, definition.name)
  const related = query.with === undefined ? null : await loadRelated(store, definition, query.with, found)
  return inSlices(found, ({ entry, row, highlights }, i) => {
    const more = { ...related?.[i], ...(highlights && { highlights }) }
    if (project !== null) return store.part(entry, row, project, more)
    return related === null && highlights === undefined ? entry : store.extend(entry, more)
  })
}

/**
 * The related rows of each of these rows, by the names in `relations`: a list for a nested pattern, and one row for a field that
 * refers to it. One read for each name.
 */
async function loadRelated(
  store: RowStore,
  definition: AnyDefinition,
  relations: unknown,
  parents: readonly FoundRow[],
): Promise<Related[]> {
  const queries = relatedQueries(store.registry, definition, relations)
  const related = parents.map((): Related => ({}))
  for (const { name, definition: of, field, query } of queries) {
    const load =
      field === null ? loadBelow(store, of, query, parents) : loadReferred(store, of, field, query, parents)
    for (const [i, rows] of (await load).entries()) related[i]![name] = rows
  }
  return related
}

async function loadBelow(
  store: RowStore,
  child: AnyDefinition,
  query: UntypedQuery,
  parents: readonly FoundRow[],
): Promise<RowEntry[][]> {
  const keys = await inSlices(parents, ({ row }) => encodeStoredKey(row.key))
  return grouped(store, child, query, keys, 'below', parents.length)
}

async function loadReferred(
  store: RowStore,
  target: AnyDefinition,
  path: string,
  query: UntypedQuery,
  parents: readonly FoundRow[],
): Promise<(RowEntry | null)[]> {
  const names = path.split('.')
  const places = new Map<string, number>()
  const keys: Uint8Array[] = []
  const placeOf = await inSlices(parents, ({ entry }) => {
    const id = valueAt(entry.value, names)
    if (id === undefined || id === null) return null
    const key = encodedOrNull(store, target.pattern, id as IdOf<Pattern>)
    if (key === null) return null
    const text = keyText(key)
    const known = places.get(text)
    if (known !== undefined) return known
    places.set(text, keys.length)
    return keys.push(key) - 1
  })
  const rows = await grouped(store, target, query, keys, 'at', keys.length)
  return placeOf.map((place) => (place === null ? null : (rows[place]![0] ?? null)))
}

/** `null` for an impossible id, for example an object, or one that is too long: a value that refers to it refers to nothing. */
function encodedOrNull(store: RowStore, pattern: Pattern, id: IdOf<Pattern>): Uint8Array | null {
  try {
    return store.encodeKey(keyOfId(pattern, id))
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return null
    throw error
  }
}

/** The plan of a related query, before its parents are known. Throws a QueryError for an invalid one. */
export function planRelated(
  store: RowStore,
  definition: AnyDefinition,
  query: UntypedQuery,
): Planned<FindPlan> {
  // They are found by the keys of their parents, so no index can return them in another order.
  return planFind(store, definition, { orderBy: [], ...query })
}

async function grouped(
  store: RowStore,
  definition: AnyDefinition,
  query: UntypedQuery,
  keys: readonly Uint8Array[],
  relation: 'below' | 'at',
  count: number,
): Promise<RowEntry[][]> {
  const planned = planRelated(store, definition, query)
  const rows: readonly RelatedRow[] =
    keys.length === 0 ? [] : await store.read({ type: 'related', query: relate(planned, relation, keys) })
  const entries = await present(store, definition, query, await foundRows(store, definition, planned, rows))
  const groups = Array.from({ length: count }, (): RowEntry[] => [])
  for (const [i, { parent }] of rows.entries()) groups[parent]!.push(entries[i]!)
  return groups
}
