import { type SQL, sql } from 'drizzle-orm'
import type { Field } from '../../../query/fields.ts'
import type { AggregatePlan, HavingCondition, Measure } from '../../../query/plan.ts'
import { plannedOnce } from '../planned-once.ts'
import { bound } from './binding.ts'
import type { FieldSql } from './field-sql.ts'
import type { IndexChoice } from './index-choice.ts'
import { allOf, fromKv, selectionSql } from './select-sql.ts'

const signs = { eq: '=', ne: '<>', gt: '>', gte: '>=', lt: '<', lte: '<=' }

/**
 * One row for each group. Its columns: for each field of `groupBy` the value, what kind of JSON it is and what its text stands
 * for, a Date or a bigint; then each measure, and behind `min` and `max` what their text stands for.
 */
export function aggregateSql(
  plan: AggregatePlan,
  fields: FieldSql,
  source: string,
  choice: IndexChoice | null,
): SQL {
  const groups = plan.groupBy.flatMap((field) => [fields.of(field), kindOf(field, fields)])
  const columns = [
    ...plan.groupBy.flatMap((field) => [fields.of(field), kindOf(field, fields), meaningOf(field)]),
    ...plan.measures.flatMap((measure) => columnsOf(measure, fields)),
  ]
  const grouped = groups.length === 0 ? sql.empty() : sql` group by ${list(groups)}`
  const having = plan.having === null ? sql.empty() : sql` having ${havingSql(plan.having, fields)}`
  const order = [
    ...plan.order.map(
      ({ by, direction }) =>
        sql`${'name' in by ? measureSql(by, fields) : fields.of(by)} ${sql.raw(direction)}`,
    ),
    ...groups,
  ]
  const ordered = order.length === 0 ? sql.empty() : sql` order by ${list(order)}`
  const limited = plan.limit === null ? sql.empty() : sql` limit ${plannedOnce(bound(plan.limit))}`
  return sql`select ${list(columns)} from ${fromKv(source, plan.collection, choice)} where ${allOf(selectionSql(plan, fields))}${grouped}${having}${ordered}${limited}`
}

function columnsOf(measure: Measure, fields: FieldSql): SQL[] {
  const figure = measureSql(measure, fields)
  if (measure.name !== 'min' && measure.name !== 'max') return [figure]
  return [figure, meaningOf(measure.field!)]
}

/** Sums as floating-point numbers, as JavaScript adds: SQLite's sum of integers fails where it overflows. */
function measureSql({ name, field }: Measure, fields: FieldSql): SQL {
  if (field === null) return sql.raw('count(*)')
  const { number, ...others } = field.types
  const onlyNumbers = number && !others.string && !others.boolean && !others.bigint && !others.structure
  const found = onlyNumbers ? finite(fields.of(field)) : fields.of(field)
  if (name === 'min' || name === 'max')
    return sql`${sql.raw(name)}(${found}${sql.raw(onlyNumbers ? ' + 0' : '')})`
  const added = onlyNumbers
    ? found
    : sql`case when ${fields.typeOf(field)} in ('integer', 'real') then ${found} end`
  return sql`${sql.raw(name)}(${added} * 1.0)`
}

/** Without NaN and the infinities, which are stored as texts. So is -0, which arithmetic takes for 0. */
function finite(found: SQL): SQL {
  return ['NaN', 'Infinity', '-Infinity'].reduce(
    (rest, text) => sql`nullif(${rest}, ${sql.raw(`'${text}'`)})`,
    found,
  )
}

/** A group of `true` is none of 1, nor is one of a text that looks like an object's. */
function kindOf(field: Field, fields: FieldSql): SQL {
  const { boolean, structure } = field.types
  return boolean || structure ? sql`nullif(${fields.typeOf(field)}, 'null')` : sql.raw('null')
}

/** What the texts of a field stand for, as superjson notes it of a value's types: `Date`, `bigint`, …; null: for themselves. */
function meaningOf(field: Field): SQL {
  if (!field.types.string && !field.types.bigint) return sql.raw('null')
  const escaped = JSON.stringify(field.path).replaceAll("'", "''")
  return sql`max(kv.types ->> ${sql.raw(`'$.values.${escaped}[0]'`)})`
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
    case 'compare':
      return sql`${measureSql(condition.measure, fields)} ${sql.raw(signs[condition.operator])} ${bound(condition.operand)}`
  }
}

function list(parts: readonly SQL[]): SQL {
  return sql.join([...parts], sql.raw(', '))
}
