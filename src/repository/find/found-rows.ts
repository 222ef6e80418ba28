import { QueryError } from '../../contract/errors.ts'
import type { Key } from '../../contract/key.types.ts'
import type { KeyedRow } from '../../driver/driver.ts'
import { idReader } from '../../key/pattern.ts'
import type { IdOf, Pattern } from '../../key/pattern.types.ts'
import type { FindPlan, Planned } from '../../query/plan.ts'
import type { UncheckedQuery } from '../../query/unchecked.types.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import { type Field, isBigint } from '../../schema/fields.ts'
import type { RowEntry, RowStore } from '../../store/row-store.ts'
import { inSlices } from '../../time/give-way.ts'
import { meaningAt } from '../../value/type-meaning.ts'
import type { Highlights } from '../types/query.types.ts'
import { highlightsOf } from './highlights.ts'
import { plannerOf, prefixKeys } from './planner-of.ts'

/** A query as the caller passes it. */
export interface UntypedQuery extends UncheckedQuery {
  readonly columns?: unknown
  readonly prefix?: Key
  readonly with?: unknown
}

/** A row that a query found: in its stored form, and its entry with the whole value. */
export interface FoundRow<Row extends KeyedRow = KeyedRow> {
  readonly row: Row
  readonly entry: RowEntry
  /** The hits of a search, if the query asks for them. */
  readonly highlights?: Highlights
}

const idReaders = new WeakMap<AnyDefinition, (key: Key) => IdOf<Pattern>>()

/** Reads the ids of a definition's rows. */
function idReaderOf(definition: AnyDefinition): (key: Key) => IdOf<Pattern> {
  let reader = idReaders.get(definition)
  if (reader === undefined) {
    reader = idReader(definition.pattern)
    idReaders.set(definition, reader)
  }
  return reader
}

/** The plan of a query. Throws a QueryError for an invalid one. */
export function planFind(store: RowStore, definition: AnyDefinition, query: UntypedQuery): Planned<FindPlan> {
  return plannerOf(definition).find(query, prefixKeys(store, definition, query.prefix))
}

/** The rows of a plan with their entries. */
export async function foundRows<Row extends KeyedRow>(
  store: RowStore,
  definition: AnyDefinition,
  { plan }: { readonly plan: Pick<FindPlan, 'order' | 'ranked'> },
  rows: readonly Row[],
): Promise<FoundRow<Row>[]> {
  const entries = await entriesOf(store, definition, rows)
  checkOrderedValues(plan, rows)
  const { ranked } = plan
  if (ranked === null || ranked.highlight.length === 0)
    return rows.map((row, i) => ({ row, entry: entries[i]! }))
  return rows.map((row, i) => ({ row, entry: entries[i]!, highlights: highlightsOf(ranked, row.hit!) }))
}

/** The entries of rows; a promise of them if reads are validated by an asynchronous schema. */
export function entriesOf(
  store: RowStore,
  definition: AnyDefinition,
  rows: readonly KeyedRow[],
): RowEntry[] | Promise<RowEntry[]> {
  const idOf = idReaderOf(definition)
  return inSlices(rows, (row) => store.rowEntry(row, idOf(row.key), row.key))
}

/** Throws a QueryError for rows that cannot be ordered: to the engine, a bigint among other values is text. */
export function checkOrderedValues({ order }: Pick<FindPlan, 'order'>, rows: readonly KeyedRow[]): void {
  for (const { field } of order) {
    if (!mayBeMixed(field)) continue
    if (!rows.some(({ types }) => meaningAt(types, field.path) === 'bigint')) continue
    throw new QueryError(
      `orderBy cannot order by '${field.path}': bigints among other values have no order; declare it as a bigint in the schema`,
    )
  }
}

/** Whether a field may have bigints among other values, so that the values themselves must be checked. */
export function mayBeMixed({ types }: Field): boolean {
  return types.bigint && !isBigint(types)
}
