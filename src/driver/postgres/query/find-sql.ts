import { type SQL, sql } from 'drizzle-orm'
import { type Condition, conjuncts } from '../../../query/condition.ts'
import type { IndexChoice } from '../../../query/index-choice.ts'
import type { AfterPlan, FindPlan, OrderTerm, RelatedPlan, Selection } from '../../../query/plan.ts'
import { besides } from '../../../query/rank.ts'
import type { Field } from '../../../schema/fields.ts'
import { keyedColumns } from '../rows/kv-row.ts'
import { isAlive, quoteText } from '../server/sql-text.ts'
import { noNumber } from '../tables/field-columns.ts'
import { bound } from './binding.ts'
import { conditionSql } from './condition-sql.ts'
import type { FieldSql } from './field-sql.ts'
import { highlightedTexts, rankedRows, type SearchSource } from './search-sql.ts'

const key = sql.raw('kv.key')
const signs = {
  asc: { strictly: sql.raw('>'), orEqual: sql.raw('>=') },
  desc: { strictly: sql.raw('<'), orEqual: sql.raw('<=') },
}

/** The conditions of a selection. The name must be a literal for the server to use the collection's indexes. */
export function selectionSql({ collection, where, range }: Selection, fields: FieldSql): SQL[] {
  const conditions = [sql`kv.collection = ${sql.raw(quoteText(collection))}`, sql.raw(isAlive)]
  if (range !== null) conditions.push(sql`kv.key >= ${bound(range.start)} AND kv.key < ${bound(range.end)}`)
  if (where !== null) conditions.push(conditionSql(where, fields))
  return conditions
}

/** Joins conditions by `AND`. */
export function allOf(conditions: readonly SQL[]): SQL {
  return sql.join([...conditions], sql.raw(' AND '))
}

/** The rows that a query reads. */
export interface Source {
  /** What follows `from`, with the columns of `kv` under that name. */
  readonly rows: SQL
  /** The last column of each row. */
  readonly catalog: SQL
  readonly searched: SearchSource
}

/** How many rows to plan the statement for; `isExact`: no fewer are wanted. */
export interface PageSize {
  readonly most: number
  readonly isExact: boolean
}

/**
 * Rows in their order. The page size is part of the text, not an operand, so that the server plans the statement once for all
 * pages.
 */
export function findSql(
  found: FindPlan,
  fields: FieldSql,
  kv: Source,
  choice: IndexChoice | null,
  page: PageSize | null,
): SQL {
  const { plan, source } = searchedRows(found, kv)
  const columns = columnsOf(plan, source)
  if (plan.distinct.length > 0) return distinctSql(plan, fields, source)
  const conditions = selectionSql(plan, fields)
  const order = orderSql(plan, fields, choice)
  const parts = plan.after === null ? [[]] : partsBehind(plan, plan.after, fields)
  const rows = (what: SQL, part: readonly SQL[]) =>
    sql`SELECT ${what} FROM ${source.rows} WHERE ${allOf([...conditions, ...part])} ORDER BY ${order}`
  if (page === null) {
    const all = parts.length === 1 ? parts[0]! : [sql`(${sql.join(parts.map(allOf), sql.raw(' OR '))})`]
    return sql`${rows(columns, all)}${pageSql(plan)}`
  }
  const limit = sql.raw(` LIMIT ${page.most}`)
  if (parts.length === 1) {
    const first = sql`${rows(columns, parts[0]!)}${limit}`
    return page.isExact ? first : sql`SELECT * FROM (${first}) AS kv${pageSql(plan)}`
  }
  const ranked = parts.map((part, i) => {
    const what = sql`kv.*, ${sql.raw(String(i))} AS part, row_number() OVER (ORDER BY ${order}) AS place`
    return sql`(${rows(what, part)}${limit})`
  })
  return sql`SELECT ${columns} FROM (${sql.join(ranked, sql.raw(' UNION ALL '))}) AS kv ORDER BY part, place${pageSql(plan)}`
}

/** A plan, and the rows to take its own from: those of the search that it ranks by. */
function searchedRows<P extends FindPlan | RelatedPlan>(
  plan: P,
  source: Source,
): { readonly plan: P; readonly source: Source } {
  const { ranked, where } = plan
  if (!ranked?.orders) return { plan, source }
  return {
    plan: { ...plan, where: besides(where, ranked) },
    source: { ...source, rows: rankedRows(ranked, source.rows, source.searched) },
  }
}

/** The columns of a row; behind them its rank, if it has one, and the texts whose hits are to be shown. */
function columnsOf({ ranked }: FindPlan, { catalog, searched }: Source): SQL {
  const rank = ranked?.orders ? [sql.raw('kv.rank')] : []
  const texts = ranked === null ? [] : highlightedTexts(ranked, searched)
  return list([sql.raw(keyedColumns), ...rank, ...texts, catalog])
}

/** The first of the rows with the same values. A cursor applies after that choice. */
function distinctSql(plan: FindPlan, fields: FieldSql, source: Source): SQL {
  const same = plan.distinct.flatMap((field) => {
    const { value, kind, meaning } = fields.identityOf(field)
    return [...value.map((column) => column.sql), ...[kind, meaning].filter((one) => one !== null)]
  })
  const order = orderSql(plan, fields, null)
  const ranked = sql`SELECT kv.*, row_number() OVER (PARTITION BY ${sql.join(same, sql.raw(', '))} ORDER BY ${order}) AS place FROM ${source.rows} WHERE ${allOf(selectionSql(plan, fields))}`
  const cursor = plan.after === null ? sql.empty() : sql` AND ${behind(plan, plan.after, fields)}`
  return sql`SELECT ${columnsOf(plan, source)} FROM (${ranked}) AS kv WHERE place = 1${cursor} ORDER BY ${order}${pageSql(plan)}`
}

/**
 * If rows are ordered by key and found through an index, its fields with one value come before the key: otherwise the server may
 * read all rows by key and filter them.
 */
function orderSql(
  { order, keyDirection, where }: Pick<FindPlan, 'order' | 'keyDirection' | 'where'>,
  fields: FieldSql,
  choice: IndexChoice | null,
): SQL {
  const fixed = new Set(conjuncts(where).flatMap((one) => (isOneValue(one) ? [one.field.path] : [])))
  // Rows with equal values in an indexed field need no order by it; the server would still compute its columns for each row.
  const terms = order
    .filter(({ field }) => !(fixed.has(field.path) && fields.isIndexed(field)))
    .map(({ field, direction }) => fields.orderOf(field, direction))
  const nulls = conjuncts(where).flatMap((one) => (one.type === 'null' ? [one.field] : []))
  const leading = choice?.index.fields[choice.index.fields.findIndex((path) => !choice.fixed.has(path))]
  const isNull = order.length === 0 ? nulls.find(({ path }) => path === leading) : undefined
  if (isNull !== undefined) terms.push(fields.orderOf(isNull, keyDirection))
  terms.push(sql`${key} ${sql.raw(keyDirection)}`)
  return sql.join(terms, sql.raw(', '))
}

/** Whether all rows that meet a condition have the same, or equal, values in its field. */
function isOneValue(
  one: Condition,
): one is Extract<Condition, { readonly type: 'compare' | 'boolean' | 'zero' }> {
  return one.type === 'boolean' || one.type === 'zero' || (one.type === 'compare' && one.operator === 'eq')
}

/**
 * The rows after a cursor, in one part or in two consecutive ones. Rows without a field are a part of their own, because the server
 * can only compare columns together, which leads it to the first row, if they are not null.
 */
function partsBehind(plan: FindPlan, after: AfterPlan, fields: FieldSql): SQL[][] {
  const { order, keyDirection } = plan
  const [term] = order
  const isOne = order.length === 1 && term!.direction === keyDirection
  if (!isOne) return [[behind(plan, after, fields)]]
  const columns = fields.columnsOf(term!.field)
  const areNull = columns.map((column) => sql`${column.sql} IS NULL`)
  const [slot] = after.values
  if (slot === null) {
    const sameKey = sql`${key} ${signs[keyDirection].strictly} ${bound(after.key)}`
    const rest = [...areNull, sameKey]
    return keyDirection === 'asc' ? [rest, [sql`${columns[0]!.sql} IS NOT NULL`]] : [rest]
  }
  const there = [sql`${behindRow(plan, after, fields)}`]
  return mayBeNull(plan, term!) ? [there, areNull] : [there]
}

function mayBeNull({ where }: FindPlan, { field, direction }: OrderTerm): boolean {
  return direction === 'desc' && field.types.absent && !excludesNull(where, field)
}

/** Compares all columns together. */
function behindRow(
  { order, keyDirection }: FindPlan,
  { values, key: keySlot }: AfterPlan,
  fields: FieldSql,
): SQL {
  const columns = order.map(({ field }) => fields.columnsOf(field))
  const row = [...columns.flat().map((column) => column.sql), key]
  const other = [...columns.flatMap((of, i) => valuesOf(values[i]!, of.length)), bound(keySlot)]
  return sql`(${list(row)}) ${signs[keyDirection].strictly} (${list(other)})`
}

function behind(plan: FindPlan, after: AfterPlan, fields: FieldSql): SQL {
  const { order, keyDirection } = plan
  const { values, key: keySlot } = after
  const isRow =
    order.length > 0 &&
    order.every((term) => term.direction === keyDirection && !mayBeNull(plan, term)) &&
    !values.includes(null)
  if (isRow) return behindRow(plan, after, fields)
  let rest = sql`${key} ${signs[keyDirection].strictly} ${bound(keySlot)}`
  for (let i = order.length - 1; i >= 0; i--) {
    const { field, direction } = order[i]!
    const columns = fields.columnsOf(field)
    const first = columns[0]!.sql
    const slot = values[i]!
    if (slot === null) {
      rest =
        direction === 'asc' ? sql`(${first} IS NOT NULL OR ${rest})` : sql`(${first} IS NULL AND ${rest})`
      continue
    }
    const others = valuesOf(slot, columns.length)
    const { strictly, orEqual } = signs[direction]
    for (let j = columns.length - 1; j >= 0; j--) {
      const column = columns[j]!.sql
      rest = sql`(${column} ${orEqual} ${others[j]!} AND (${column} ${strictly} ${others[j]!} OR ${rest}))`
    }
    if (mayBeNull(plan, order[i]!)) rest = sql`(${rest} OR ${first} IS NULL)`
  }
  return rest
}

/** The columns of a field with the value in this slot. */
function valuesOf(slot: NonNullable<AfterPlan['values'][number]>, columns: number): SQL[] {
  if (columns === 1) return [bound(slot)]
  return slot.type === 'number' ? [bound(slot), sql.raw("''")] : [noNumber, bound(slot)]
}

/** Whether a condition is never true for a row without this field. */
function excludesNull(where: Condition | null, { path }: Field): boolean {
  return conjuncts(where).some((one) => 'field' in one && one.type !== 'null' && one.field.path === path)
}

function list(parts: readonly SQL[]): SQL {
  return sql.join([...parts], sql.raw(', '))
}

function pageSql({ limit, offset }: Pick<FindPlan, 'limit' | 'offset'>): SQL {
  const limited = limit === null ? sql.empty() : sql` LIMIT ${bound(limit)}`
  return offset === null ? limited : sql`${limited} OFFSET ${bound(offset)}`
}

/** The rows of all parents in one statement, each followed by the place of its parent in the list. */
export function relatedSql(related: RelatedPlan, fields: FieldSql, kv: Source): SQL {
  const { plan, source } = searchedRows(related, kv)
  const near =
    plan.relation === 'below'
      ? sql`kv.key >= parent.key || decode('00', 'hex') AND kv.key < parent.key || decode('ff', 'hex')`
      : sql`kv.key = parent.key`
  const order = orderSql(plan, fields, null)
  const rows = sql`SELECT kv.*, row_number() OVER (ORDER BY ${order}) AS place FROM ${source.rows} WHERE ${allOf([near, ...selectionSql(plan, fields)])} ORDER BY ${order}${pageSql(plan)}`
  return sql`SELECT ${sql.raw(keyedColumns)}, parent.place - 1, ${source.catalog} FROM unnest(${bound(plan.parents)}) WITH ORDINALITY AS parent(key, place) CROSS JOIN LATERAL (${rows}) AS kv ORDER BY parent.place, kv.place`
}
