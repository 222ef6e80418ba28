import { ArgumentRangeError } from '../../arguments/argument-error.ts'
import type { Explanation } from '../../driver/driver.ts'
import { encodeStoredKey } from '../../key/codec.ts'
import { encodeCursor } from '../../query/cursor.ts'
import type { FindPlan, Planned } from '../../query/plan.ts'
import { checkQueryOptions } from '../../query/planner.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import type { RowEntry, RowStore } from '../../store/row-store.ts'
import { entriesOf, foundRows, mayBeMixed, planFind, type UntypedQuery } from './found-rows.ts'
import { present } from './with.ts'

export function findMany(
  store: RowStore,
  definition: AnyDefinition,
  query: UntypedQuery,
): Promise<RowEntry[]> {
  const plan = () => {
    checkQuery(store, query)
    return planFind(store, definition, query)
  }
  return findPlanned(store, definition, query, plan, allOf)
}

export function findFirst(
  store: RowStore,
  definition: AnyDefinition,
  query: UntypedQuery,
): Promise<RowEntry | null> {
  const plan = () => {
    checkQuery(store, query)
    return planFind(store, definition, { ...query, limit: 1 })
  }
  return findPlanned(store, definition, query, plan, firstOf)
}

export const allOf = (entries: RowEntry[]): RowEntry[] => entries
export const firstOf = (entries: readonly RowEntry[]): RowEntry | null => entries[0] ?? null

/**
 * The rows of a plan as `pick` returns them, with related rows, and without the fields that the query leaves out. Rejects with what
 * `plan` throws.
 */
export async function findPlanned<T>(
  store: RowStore,
  definition: AnyDefinition,
  query: UntypedQuery,
  plan: () => Planned<FindPlan>,
  pick: (entries: RowEntry[]) => T,
): Promise<T> {
  const planned = plan()
  if (query.with !== undefined)
    return pick(await store.ofOneState((view) => findAll(view, definition, query, planned)))
  if (query.columns !== undefined || query.highlight !== undefined || ordersMixed(planned.plan))
    return pick(await findAll(store, definition, query, planned))
  const entries = entriesOf(store, definition, await store.read({ type: 'find', query: planned }))
  return pick(entries instanceof Promise ? await entries : entries)
}

async function findAll(
  store: RowStore,
  definition: AnyDefinition,
  query: UntypedQuery,
  planned: Planned<FindPlan>,
): Promise<RowEntry[]> {
  const rows = await store.read({ type: 'find', query: planned })
  return present(store, definition, query, await foundRows(store, definition, planned, rows))
}

/** How the engine runs a query's statement; the rows of `with` have statements of their own. */
export async function explain(
  store: RowStore,
  definition: AnyDefinition,
  query: UntypedQuery,
): Promise<Explanation> {
  checkQuery(store, query)
  return store.read({ type: 'explain', query: planFind(store, definition, query) })
}

const defaultPage = 100

export async function findPage(store: RowStore, definition: AnyDefinition, query: UntypedQuery) {
  checkQuery(store, query)
  const { limit = defaultPage } = query
  // One row more than asked for shows whether this page is the last.
  const more = typeof limit === 'number' && limit > 0 ? limit + 1 : limit
  if (limit === 0) throw new ArgumentRangeError('The limit of a page must be at least 1')
  const planned = planFind(store, definition, { ...query, limit: more })
  const read = async (store: RowStore) => {
    const rows = await store.read({ type: 'find', query: planned })
    const found = await foundRows(store, definition, planned, rows.slice(0, limit as number))
    const last = rows.length <= (limit as number) ? undefined : found.at(-1)
    const cursor =
      last === undefined
        ? null
        : encodeCursor(planned.plan, encodeStoredKey(last.row.key), last.row.value, last.row.hit?.rank)
    return { entries: await present(store, definition, query, found), cursor }
  }
  return query.with === undefined ? read(store) : store.ofOneState(read)
}

/** Throws DatabaseClosedError if the database is closed, and a TypeError for an option that no query has. */
function checkQuery(store: RowStore, query: UntypedQuery): void {
  store.assertOpen()
  checkQueryOptions(query, 'a query')
}

function ordersMixed({ order }: FindPlan): boolean {
  return order.some(({ field }) => mayBeMixed(field))
}
