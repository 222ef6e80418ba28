import type { Explanation } from '../driver/driver.ts'
import { encodeKey } from '../key/codec.ts'
import { encodeCursor } from '../query/cursor.ts'
import type { FindPlan } from '../query/plan.ts'
import { checkQueryOptions } from '../query/planner.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { RowEntry, RowStore } from '../store/row-store.ts'
import { entriesOf, foundRows, planFind, type UntypedQuery } from './found-rows.ts'
import { present } from './with.ts'

export async function findMany(
  store: RowStore,
  definition: AnyDefinition,
  query: UntypedQuery,
): Promise<RowEntry[]> {
  checkQueryOptions(query, 'a query')
  store.assertOpen()
  const planned = planFind(store, definition, query)
  const rows = await store.driver.find(planned)
  const simple = query.columns === undefined && query.with === undefined && !mayBeBigint(planned.plan)
  if (simple) return entriesOf(store, definition, rows)
  return present(store, definition, query, await foundRows(store, definition, planned, rows))
}

/** How a query's statement is run; the rows of `with` have statements of their own. */
export function explain(
  store: RowStore,
  definition: AnyDefinition,
  query: UntypedQuery,
): Promise<Explanation> {
  checkQueryOptions(query, 'a query')
  store.assertOpen()
  return store.driver.explain(planFind(store, definition, query))
}

const defaultPage = 100

export async function findPage(store: RowStore, definition: AnyDefinition, query: UntypedQuery) {
  checkQueryOptions(query, 'a query')
  store.assertOpen()
  const { limit = defaultPage } = query
  // One more than asked for tells whether this page is the last.
  const more = typeof limit === 'number' && limit > 0 ? limit + 1 : limit
  if (limit === 0) throw new RangeError('The limit of a page is at least 1')
  const planned = planFind(store, definition, { ...query, limit: more })
  const rows = await store.driver.find(planned)
  const found = await foundRows(store, definition, planned, rows.slice(0, limit as number))
  const last = found.at(-1)
  const cursor =
    last === undefined || rows.length <= (limit as number)
      ? null
      : encodeCursor(planned.plan, { key: encodeKey(last.row.key), value: last.entry.value })
  return { entries: await present(store, definition, query, found), cursor }
}

function mayBeBigint({ order }: FindPlan): boolean {
  return order.some(({ field }) => field.types.bigint)
}
