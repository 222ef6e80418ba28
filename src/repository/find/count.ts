import { checkQueryNames } from '../../arguments/option-names.ts'
import type { Key } from '../../contract/key.types.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import type { RowStore } from '../../store/row-store.ts'
import { plannerOf, prefixKeys } from './planner-of.ts'

/** How many rows a condition finds. Without one, an index on the keys answers. */
export async function countRows(
  store: RowStore,
  definition: AnyDefinition,
  query: { readonly where?: unknown; readonly prefix?: Key },
): Promise<number> {
  checkQueryNames(query, ['where', 'prefix'], 'count')
  store.assertOpen()
  const range = prefixKeys(store, definition, query.prefix)
  if (query.where === undefined) return store.read({ type: 'count', collection: definition.name, range })
  const counted = plannerOf(definition).count(query.where, range)
  const [row] = await store.read({ type: 'figures', query: counted })
  return row![0] as number
}
