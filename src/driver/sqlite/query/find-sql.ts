import { type SQL, sql } from 'drizzle-orm'
import { type Condition, conjuncts } from '../../../query/condition.ts'
import type { IndexChoice } from '../../../query/index-choice.ts'
import type { AfterPlan, FindPlan, OrderTerm, RelatedPlan, Selection } from '../../../query/plan.ts'
import { besides } from '../../../query/rank.ts'
import type { Field } from '../../../schema/fields.ts'
import { indexName } from '../../../schema/index-name.ts'
import { plannedOnce } from '../rows/planned-once.ts'
import { ofCollection } from '../tables/table.ts'
import { bound, boundStoredText, now } from './binding.ts'
import { compareBigints, conditionSql } from './condition-sql.ts'
import type { FieldSql } from './field-sql.ts'
import { highlightsOf, rankedRows } from './search-sql.ts'

/** How to select what may not be UTF-8: the key of a row (see KeyedRows), and the texts among figures (see textOfStored). */
export type TextForm = 'text' | 'bytes'

/** The columns of a row, in the order of `KeyedColumns`. */
const rowColumns: Record<TextForm, SQL> = {
  text: sql.raw('kv.value, kv.encoding, kv.types, kv.version, kv.expires_at, cast(kv.key as text)'),
  bytes: sql.raw('kv.value, kv.encoding, kv.types, kv.version, kv.expires_at, kv.key'),
}

const key = sql.raw('kv.key')
const signs = { gt: sql.raw('>'), gte: sql.raw('>='), lt: sql.raw('<'), lte: sql.raw('<=') }

/** The rows, named `kv`, read by the chosen index: without that index, the statement fails. */
export function fromKv(source: string, collection: string, choice: IndexChoice | null): SQL {
  if (choice === null) return sql.raw(source)
  return sql`kv indexed by ${sql.identifier(indexName(collection, choice.index))}`
}

/**
 * The conditions of a selection. The name must be a literal for SQLite to use the collection's indexes. If an index has several
 * bounds, SQLite uses the first, so the best one must come in `before`.
 */
export function selectionSql(
  { collection, where, range }: Selection,
  fields: FieldSql,
  before: readonly SQL[] = [],
): SQL[] {
  const conditions = [
    ofCollection(collection),
    sql`(kv.expires_at is null or kv.expires_at > ${now})`,
    ...before,
  ]
  if (range !== null) conditions.push(sql`kv.key >= ${bound(range.start)} and kv.key < ${bound(range.end)}`)
  if (where !== null) conditions.push(conditionSql(where, fields))
  return conditions
}

/** Joins conditions by `and`. */
export function allOf(conditions: readonly SQL[]): SQL {
  return sql.join([...conditions], sql.raw(' and '))
}

export function findSql(
  plan: FindPlan,
  fields: FieldSql,
  source: string,
  choice: IndexChoice | null,
  form: TextForm,
): SQL {
  const { ranked } = plan
  const columns = ranked?.orders ? sql`${rowColumns[form]}, kv.rank` : rowColumns[form]
  const { rows, from } = searchedRows(plan, fields, source, choice)
  if (ranked === null || ranked.highlight.length === 0) return rowsSql(rows, fields, from, choice, columns)
  // Looks for hits only in the rows that are returned, and with a limit only when each is, not in all of them before they are sorted.
  const found = rowsSql(rows, fields, from, choice, sql.raw('kv.*'))
  const limit = plan.limit === null && plan.offset === null ? sql` limit -1` : sql.empty()
  const texts = sql.join(highlightsOf(ranked, fields.shown), sql.raw(', '))
  return sql`select ${columns}, ${texts} from (${found}${limit}) as kv order by ${orderSql(plan, fields)}`
}

/** A plan, and the rows that it reads: those of the search that ranks them. */
function searchedRows<P extends FindPlan | RelatedPlan>(
  plan: P,
  fields: FieldSql,
  source: string,
  choice: IndexChoice | null,
): { readonly rows: P; readonly from: SQL } {
  const { ranked, where } = plan
  if (!ranked?.orders) return { rows: plan, from: fromKv(source, plan.collection, choice) }
  return {
    rows: { ...plan, where: besides(where, ranked) },
    from: rankedRows(ranked, source, fields.shown),
  }
}

function rowsSql(plan: FindPlan, fields: FieldSql, from: SQL, choice: IndexChoice | null, columns: SQL): SQL {
  if (plan.distinct.length > 0) return distinctSql(plan, fields, from, columns)
  const cursor = plan.after === null ? [] : [behind(plan, plan.after, fields)]
  const conditions = selectionSql(plan, fields, cursor)
  return sql`select ${columns} from ${from} where ${allOf(conditions)}${orderClause(plan, fields, choice)}${pageSql(plan)}`
}

/** The first of the rows with the same values. A cursor applies after that choice. */
function distinctSql(plan: FindPlan, fields: FieldSql, from: SQL, columns: SQL): SQL {
  const same = sql.join(
    plan.distinct.flatMap((field) => fields.identityOf(field)),
    sql.raw(', '),
  )
  const order = orderSql(plan, fields)
  const ranked = sql`select kv.*, row_number() over (partition by ${same} order by ${order}) as place from ${from} where ${allOf(selectionSql(plan, fields))}`
  const cursor = plan.after === null ? sql.empty() : sql` and ${behind(plan, plan.after, fields)}`
  return sql`select ${columns} from (${ranked}) as kv where place = 1${cursor} order by ${order}${pageSql(plan)}`
}

/** A row found by a unique index needs no sorting, but SQLite would still set up a sorter. */
function orderClause(plan: FindPlan, fields: FieldSql, choice: IndexChoice | null): SQL {
  const isOne = choice?.index.unique === true && choice.index.fields.every((path) => choice.fixed.has(path))
  return isOne ? sql.empty() : sql` order by ${orderSql(plan, fields, choice)}`
}

/** Leaves out terms that are equal for all rows: SQLite would sort by them. */
function orderSql(
  { order, keyDirection }: Pick<FindPlan, 'order' | 'keyDirection'>,
  fields: FieldSql,
  choice: IndexChoice | null = null,
): SQL {
  const terms = order
    .filter(({ field }) => !choice?.fixed.has(field.path))
    .map(({ field, direction }) => fields.orderOf(field, direction))
  if (terms.length === 0 || choice === null || !isTotal(order, choice)) {
    terms.push(sql`${key} ${sql.raw(keyDirection)}`)
  }
  return sql.join(terms, sql.raw(', '))
}

/** Whether no two rows are equal in the terms of the order: those of a unique index that cannot be null. */
function isTotal(order: readonly OrderTerm[], { index, fixed }: IndexChoice): boolean {
  return (
    index.unique &&
    index.fields.every(
      (path) => fixed.has(path) || order.some(({ field }) => field.path === path && !field.types.absent),
    )
  )
}

/** The rows after a cursor. The first term also bounds the index from the start, if no null can come after that bound. */
function behind(
  { order, keyDirection, where }: FindPlan,
  { values, key: keySlot }: AfterPlan,
  fields: FieldSql,
): SQL {
  let rest = sql`${key} ${sql.raw(keyDirection === 'asc' ? '>' : '<')} ${bound(keySlot)}`
  for (let i = order.length - 1; i >= 0; i--) {
    const { field, direction } = order[i]!
    const found = fields.of(field)
    const slot = values[i]!
    const [strictly, orEqual] = direction === 'asc' ? (['gt', 'gte'] as const) : (['lt', 'lte'] as const)
    if (slot === null) {
      rest =
        direction === 'asc' ? sql`(${found} is not null or ${rest})` : sql`(${found} is null and ${rest})`
    } else {
      const compare = (sign: 'gt' | 'gte' | 'lt' | 'lte') => {
        if (slot.type === 'bigint') return compareBigints(found, sign, slot)
        return sql`${found} ${signs[sign]} ${slot.type === 'text' ? boundStoredText(slot) : bound(slot)}`
      }
      const bounded = sql`(${compare(orEqual)} and (${compare(strictly)} or ${rest}))`
      const mayBeNull = direction === 'desc' && field.types.absent && !excludesNull(where, field)
      rest = mayBeNull ? sql`(${bounded} or ${found} is null)` : bounded
    }
  }
  return rest
}

/** Whether a condition is never true for a row without this field. */
function excludesNull(where: Condition | null, { path }: Field): boolean {
  return conjuncts(where).some((one) => 'field' in one && one.type !== 'null' && one.field.path === path)
}

function pageSql({ limit, offset }: Pick<FindPlan, 'limit' | 'offset'>): SQL {
  if (limit === null && offset === null) return sql.empty()
  const most = limit === null ? sql.raw('-1') : plannedOnce(bound(limit))
  return offset === null ? sql` limit ${most}` : sql` limit ${most} offset ${plannedOnce(bound(offset))}`
}

/** The rows of all parents in one statement, each followed by the place of its parent in the list. */
export function relatedSql(plan: RelatedPlan, fields: FieldSql, source: string): SQL {
  const columns = rowColumns.bytes
  const near =
    plan.relation === 'below'
      ? sql`kv.key >= unhex(parent.value || '00') and kv.key < unhex(parent.value || 'ff')`
      : sql`kv.key = unhex(parent.value)`
  const { rows, from: searched } = searchedRows(plan, fields, source, null)
  const conditions = [near, ...selectionSql(rows, fields)]
  const from = sql`json_each(${bound(plan.parents)}) as parent cross join ${searched}`
  const order = orderSql(plan, fields)
  if (plan.limit === null && plan.offset === null) {
    return sql`select ${columns}, parent.key from ${from} where ${allOf(conditions)} order by parent.key, ${order}`
  }
  const first = plan.offset === null ? sql.raw('0') : sql`${bound(plan.offset)}`
  const ranked = sql`select kv.*, parent.key as parent, row_number() over (partition by parent.key order by ${order}) as place from ${from} where ${allOf(conditions)}`
  const upTo = plan.limit === null ? sql.empty() : sql` and place <= ${first} + ${bound(plan.limit)}`
  return sql`select ${columns}, parent from (${ranked}) as kv where place > ${first}${upTo} order by parent, place`
}
