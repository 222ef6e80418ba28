import { type SQL, sql } from 'drizzle-orm'
import { type Condition, conjuncts } from '../../../query/condition.ts'
import type { Field } from '../../../query/fields.ts'
import { bound } from './binding.ts'
import type { FieldSql } from './field-sql.ts'

const signs = { eq: sql.raw('='), gt: sql.raw('>'), gte: sql.raw('>='), lt: sql.raw('<'), lte: sql.raw('<=') }

/**
 * A condition in SQL. Where the schema leaves open what a field is, values of other types are told apart, which SQLite
 * would compare: any text is greater than any number there, and `true` is 1. `beside`: all that must be true where it is.
 */
export function conditionSql(
  condition: Condition,
  fields: FieldSql,
  beside: readonly Condition[] = conjuncts(condition),
): SQL {
  switch (condition.type) {
    case 'and':
      return joined(
        condition.conditions.map((one) => conditionSql(one, fields, beside)),
        'and',
      )
    case 'or':
      return joined(
        condition.conditions.map((one) => conditionSql(one, fields)),
        'or',
      )
    case 'not':
      return sql`not ${parenthesized(condition.condition, fields)}`
    case 'constant':
      return constant(condition.value)
    case 'null':
      return sql`${fields.of(condition.field)} is null`
    case 'compare': {
      const { field, operator, operand } = condition
      const compared = sql`${fields.of(field)} ${signs[operator]} ${bound(operand)}`
      return all([compared, ...sameType(condition, fields, beside)])
    }
    case 'boolean': {
      const compared = sql`${fields.of(condition.field)} = ${sql.raw(condition.value ? '1' : '0')}`
      const { number } = condition.field.types
      return number
        ? all([compared, sql`${fields.typeOf(condition.field)} not in ('integer', 'real')`])
        : compared
    }
    case 'in': {
      const { field, kind, items } = condition
      const compared = sql`${fields.of(field)} in (select value from json_each(${bound(items, 'list')}))`
      return all([compared, ...otherTypes(kind, field, fields)])
    }
    case 'like': {
      const { field, caseSensitive, pattern } = condition
      const found = fields.of(field)
      const matched = caseSensitive
        ? sql`${found} glob ${bound(pattern, 'glob')}`
        : sql`${found} like ${bound(pattern)}`
      const { number, boolean, bigint, structure } = field.types
      const onlyText = !number && !boolean && !bigint && !structure
      const others = onlyText ? [] : [sql`typeof(${found}) = 'text'`, ...otherTypes('string', field, fields)]
      return onlyText
        ? matched
        : sql`case when ${found} is null then null else ${all([matched, ...others])} end`
    }
    case 'contains': {
      const { field, items } = condition
      const each = sql`select 1 from ${fields.itemsOf(field)} as item where item.value = wanted.value and item.type = wanted.type`
      const missing = sql`select 1 from json_each(${bound(items, 'list')}) as wanted where not exists (${each})`
      return sql`case ${fields.typeOf(field)} when 'array' then not exists (${missing}) when 'null' then null when null then null else case when ${fields.of(field)} is null then null else 0 end end`
    }
  }
}

type Comparison = Extract<Condition, { type: 'compare' }>

const upper: ReadonlySet<string> = new Set(['lt', 'lte', 'eq'])
const lower: ReadonlySet<string> = new Set(['gt', 'gte', 'eq'])

/**
 * In SQLite numbers come before texts, so that a range on one side needs a bound on the other: NaN, the infinities and -0
 * are stored as texts among numbers. Where the query has a bound there, no other may stand beside it: SQLite reads an index
 * up to the first one that it meets.
 */
function sameType(condition: Comparison, fields: FieldSql, beside: readonly Condition[]): SQL[] {
  const { field, operator, kind } = condition
  const { number, boolean } = field.types
  const isBounded = (operators: ReadonlySet<string>) =>
    beside.some(
      (one) =>
        one.type === 'compare' &&
        one.kind === kind &&
        one.field.path === field.path &&
        operators.has(one.operator),
    )
  const open: SQL[] = []
  if (kind === 'number' && (operator === 'gt' || operator === 'gte') && !isBounded(upper))
    open.push(sql`${fields.of(field)} < ''`)
  const isUpper = operator === 'lt' || operator === 'lte'
  if (kind === 'string' && (number || boolean) && isUpper && !isBounded(lower))
    open.push(sql`${fields.of(field)} >= ''`)
  return [...open, ...otherTypes(kind, field, fields)]
}

function otherTypes(kind: 'number' | 'string', field: Field, fields: FieldSql): SQL[] {
  if (kind === 'number' && field.types.boolean) return [sql`${fields.typeOf(field)} not in ('true', 'false')`]
  if (kind === 'string' && field.types.structure)
    return [sql`${fields.typeOf(field)} not in ('object', 'array')`]
  return []
}

function all(conditions: readonly SQL[]): SQL {
  if (conditions.length === 1) return conditions[0]!
  return sql`(${sql.join([...conditions], sql.raw(' and '))})`
}

/** Of no conditions, `and` is true and `or` is false. */
function joined(conditions: readonly SQL[], by: 'and' | 'or'): SQL {
  if (conditions.length === 0) return constant(by === 'and')
  return sql`(${sql.join([...conditions], sql.raw(` ${by} `))})`
}

function parenthesized(condition: Condition, fields: FieldSql): SQL {
  return sql`(${conditionSql(condition, fields)})`
}

function constant(value: boolean): SQL {
  return sql.raw(value ? '1' : '0')
}
