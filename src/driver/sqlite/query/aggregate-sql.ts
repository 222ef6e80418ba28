import { type SQL, sql } from 'drizzle-orm'
import type { IndexChoice } from '../../../query/index-choice.ts'
import type { AggregatePlan, HavingCondition, Measure } from '../../../query/plan.ts'
import { type Field, isBigint } from '../../../schema/fields.ts'
import { bigintFunctions } from '../file/bigint-functions.ts'
import { meaningFunctions } from '../file/meaning-functions.ts'
import { plannedOnce } from '../rows/planned-once.ts'
import { quoteText } from '../tables/table.ts'
import { bound } from './binding.ts'
import { compareBigints } from './condition-sql.ts'
import { digitsOrder, type FieldSql } from './field-sql.ts'
import { allOf, fromKv, selectionSql, type TextForm } from './find-sql.ts'

const signs = { eq: '=', ne: '<>', gt: '>', gte: '>=', lt: '<', lte: '<=' }

/**
 * One row for each group. Its columns: for each field of `groupBy`, the value, its JSON type, and what its text stands for (a Date
 * or a bigint); then each measure, with `min` and `max` followed by what their text stands for. `form` is that of values that are
 * texts.
 */
export function aggregateSql(
  plan: AggregatePlan,
  fields: FieldSql,
  source: string,
  choice: IndexChoice | null,
  form: TextForm,
): SQL {
  const groups = plan.groupBy.flatMap((field) => fields.identityOf(field))
  const columns = [
    ...plan.groupBy.flatMap((field) => {
      const [value, kind, meaning] = fields.identityOf(field)
      return [inForm(value, form), kind, meaning]
    }),
    ...plan.measures.flatMap((measure) => columnsOf(measure, fields, form)),
  ]
  const grouped = groups.length === 0 ? sql.empty() : sql` group by ${list(groups)}`
  const having = plan.having === null ? sql.empty() : sql` having ${havingSql(plan.having, fields)}`
  const order = [
    ...plan.order.map(({ by, direction }) =>
      'name' in by ? measureOrder(by, direction, fields) : groupOrder(by, direction, fields),
    ),
    ...plan.groupBy.flatMap((field) =>
      isBigint(field.types) ? [fields.orderOf(field, 'asc')] : fields.identityOf(field),
    ),
  ]
  const ordered = order.length === 0 ? sql.empty() : sql` order by ${list(order)}`
  const limited = plan.limit === null ? sql.empty() : sql` limit ${plannedOnce(bound(plan.limit))}`
  return sql`select ${list(columns)} from ${fromKv(source, plan.collection, choice)} where ${allOf(selectionSql(plan, fields))}${grouped}${having}${ordered}${limited}`
}

function columnsOf(measure: Measure, fields: FieldSql, form: TextForm): SQL[] {
  const figure = measureSql(measure, fields)
  if (measure.name !== 'min' && measure.name !== 'max') return [figure]
  return [inForm(figure, form), someMeaning(measure.field!, fields)]
}

function inForm(value: SQL, form: TextForm): SQL {
  return form === 'text'
    ? value
    : sql`case typeof(${value}) when 'text' then cast(${value} as blob) else ${value} end`
}

function measureSql({ name, field }: Measure, fields: FieldSql): SQL {
  if (field === null) return sql.raw('count(*)')
  const { number, string, boolean, date, bigint, structure } = field.types
  if (name === 'countDistinct') return countDistinct(field, fields)
  if (isBigint(field.types)) return sql`${sql.raw(bigintFunctions[name as 'sum'])}(${fields.of(field)})`
  const onlyNumbers = number && !string && !boolean && !date && !bigint && !structure
  const other = bigint ? withoutBigints(name, field, fields) : fields.of(field)
  const found = onlyNumbers
    ? numberOf(fields.of(field))
    : number
      ? sql`case ${fields.meaningOf(field)} when 'number' then ${numberOf(fields.of(field))} else ${other} end`
      : other
  if (name === 'min' || name === 'max') {
    const ordered = structure
      ? sql`case when ${fields.typeOf(field)} not in ('object', 'array') then ${found} end`
      : found
    return sql`${sql.raw(name)}(${ordered})`
  }
  // Adds floating-point numbers, like JavaScript: SQLite's sum of integers fails on overflow.
  const added = onlyNumbers
    ? found
    : sql`case when ${fields.typeOf(field)} in ('integer', 'real') or ${fields.meaningOf(field)} in ('number', 'bigint') then ${found} end`
  return sql`${sql.raw(name)}(${added} * 1.0)`
}

/** A field, if no row has a bigint in it: among other values, its digits would be taken for text. */
function withoutBigints(name: string, field: Field, fields: FieldSql): SQL {
  const path = JSON.stringify(field.path) // A NUL would end the literal.
  const message = `${name} cannot take ${path}: bigints among other values have no order and no sum; declare it as a bigint in the schema`
  const refusal = sql.raw(`${meaningFunctions.refuse}(${quoteText(message)})`)
  return sql`case ${fields.meaningOf(field)} when 'bigint' then ${refusal} else ${fields.of(field)} end`
}

/** A field as a number: -0 is 0, and the infinities, stored as texts, are numbers; null for NaN, which has no order. */
function numberOf(found: SQL): SQL {
  return sql`case ${found} when 'Infinity' then 9e999 when '-Infinity' then -9e999 when 'NaN' then null when '-0' then 0 else ${found} end`
}

/** In a field of several types, values of different types differ even if their texts are equal. */
function countDistinct(field: Field, fields: FieldSql): SQL {
  const [value, ...others] = fields.identityOf(field)
  const parts = sql.join(
    [sql`json_quote(${value})`, ...others.map((one) => sql`coalesce(${one}, '')`)],
    sql.raw(' || '),
  )
  return sql`count(distinct case when ${value} is not null then ${parts} end)`
}

/** What the texts of a field stand for, in superjson's words: `Date`, `bigint`, …; null: for themselves. */
function someMeaning(field: Field, fields: FieldSql): SQL {
  const { string, date, bigint, structure } = field.types
  const isMixed = [string || structure, date, bigint].filter(Boolean).length > 1
  return isMixed ? sql`max(nullif(${fields.meaningOf(field)}, 'number'))` : sql.raw('null')
}

function havingSql(condition: HavingCondition, fields: FieldSql): SQL {
  switch (condition.type) {
    case 'and':
    case 'or': {
      if (condition.conditions.length === 0) return sql.raw('1')
      const inner = condition.conditions.map((one) => havingSql(one, fields))
      return sql`(${sql.join(inner, sql.raw(` ${condition.type} `))})`
    }
    case 'not':
      return sql`not (${havingSql(condition.condition, fields)})`
    case 'compare': {
      const { measure, operator, operand } = condition
      const figure = measureSql(measure, fields)
      if (operand.type !== 'bigint') return sql`${figure} ${sql.raw(signs[operator])} ${bound(operand)}`
      if (operator !== 'ne') return compareBigints(figure, operator, operand)
      return sql`not ${compareBigints(figure, 'eq', operand)}`
    }
  }
}

function groupOrder(field: Field, direction: 'asc' | 'desc', fields: FieldSql): SQL {
  if (!field.types.bigint || isBigint(field.types)) return fields.orderOf(field, direction)
  return sql`${withoutBigints('orderBy', field, fields)} ${sql.raw(direction)}`
}

function measureOrder(measure: Measure, direction: 'asc' | 'desc', fields: FieldSql): SQL {
  const figure = measureSql(measure, fields)
  const { name, field } = measure
  if (field === null || !isBigint(field.types) || name === 'avg' || name === 'countDistinct')
    return sql`${figure} ${sql.raw(direction)}`
  return sql`CAST(${figure} AS INTEGER) ${sql.raw(direction)}, ${digitsOrder(figure, direction)}`
}

function list(parts: readonly SQL[]): SQL {
  return sql.join([...parts], sql.raw(', '))
}
