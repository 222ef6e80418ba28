import { type SQL, sql } from 'drizzle-orm'
import type { Comparison, Condition } from '../../../query/condition.ts'
import { type Field, isBigint } from '../../../schema/fields.ts'
import { formOf, isDigits, noNumber, noText } from '../tables/field-columns.ts'
import { bound, boundDigits, boundItems } from './binding.ts'
import type { FieldSql } from './field-sql.ts'
import { likeSql } from './like-sql.ts'
import { isFound } from './search-sql.ts'

const signs = { eq: sql.raw('='), gt: sql.raw('>'), gte: sql.raw('>='), lt: sql.raw('<'), lte: sql.raw('<=') }

type Of<Type extends Condition['type']> = Extract<Condition, { type: Type }>

/**
 * A condition in SQL: true, false, or null for a missing value. A field of the form `any` is compared by its number, which comes
 * after all numbers if it is not one, and then by its text.
 */
export function conditionSql(condition: Condition, fields: FieldSql): SQL {
  switch (condition.type) {
    case 'and':
    case 'or':
      return joined(
        condition.conditions.map((one) => conditionSql(one, fields)),
        condition.type,
      )
    case 'not':
      return sql`NOT (${conditionSql(condition.condition, fields)})`
    case 'constant':
      return constant(condition.value)
    case 'null':
      return nullSql(condition.field, fields)
    case 'compare':
      return compareSql(condition, fields)
    case 'boolean': {
      const { field, value } = condition
      const isBoolean = field.types.number ? [sql`${fields.typeOf(field)} = 'boolean'`] : []
      return isNumber('eq', sql.raw(value ? '1' : '0'), field, fields, isBoolean)
    }
    case 'zero':
      return isNumber('eq', sql.raw('0'), condition.field, fields, notBoolean(condition.field, fields))
    case 'in':
      return inSql(condition, fields)
    case 'like': {
      const { field, folded, pattern } = condition
      return ofTexts(likeSql(textOf(field, fields), pattern, folded), field, fields)
    }
    case 'substring':
      return substringSql(condition, fields)
    case 'prefix':
      return prefixSql(condition, fields)
    case 'includes':
      return includesSql(condition, fields)
    case 'elements':
      return elementsSql(condition, fields)
    case 'key':
      return sql`kv.key ${signs[condition.operator]} ${bound(condition.key)}`
    case 'search':
      return isFound(condition, fields.searched)
    case 'keyIn':
      return sql`kv.key = ANY(${bound(condition.keys)})`
  }
}

/** Whether the value is missing or null: the column of a bigint is also null for anything that is not a bigint. */
function nullSql(field: Field, fields: FieldSql): SQL {
  const isNull = sql`${fields.firstOf(field)} IS NULL`
  return formOf(field.types) === 'bigint' ? all([isNull, sql`${fields.textOf(field)} IS NULL`]) : isNull
}

function compareSql({ field, operator, operand }: Of<'compare'>, fields: FieldSql): SQL {
  const first = fields.firstOf(field)
  const sign = signs[operator]
  switch (operand.type) {
    case 'number':
      return isNumber(operator, bound(operand), field, fields, notBoolean(field, fields))
    case 'text':
      return isText((text) => sql`${text} ${sign} ${bound(operand)}`, field, fields)
    case 'bigint': {
      if (formOf(field.types) === 'bigint') return sql`${first} ${sign} ${bound(operand)}`
      if (operator === 'eq') return areDigits((text) => sql`${text} = ${boundDigits(operand)}`, field, fields)
      // Among other values, the digits of bigints have no order, and not all texts are digits.
      const text = fields.textOf(field)
      const isOne = sql`${fields.typeOf(field)} = 'string' AND ${fields.meaningOf(field)} = 'bigint'`
      return sql`CASE WHEN ${text} IS NULL THEN NULL WHEN ${isOne} THEN CASE WHEN ${isDigits(text)} THEN ${text}::numeric ${sign} ${bound(operand)} ELSE FALSE END ELSE FALSE END`
    }
  }
}

/**
 * Compares with a number. Nothing holds for values that are not numbers. No range may end at them, or the server would estimate it
 * as short.
 */
function isNumber(
  operator: Comparison,
  operand: SQL,
  field: Field,
  fields: FieldSql,
  others: readonly SQL[],
): SQL {
  const [number, text] = fields.columnsOf(field)
  const compared = [sql`${number!.sql} ${signs[operator]} ${operand}`]
  if (operator === 'gt' || operator === 'gte') compared.push(sql`${number!.sql} <> ${noNumber}`)
  if (operator === 'eq' && fields.isIndexed(field)) compared.push(sql`${text!.sql} = ${noText}`)
  return all([...compared, ...others])
}

function notBoolean(field: Field, fields: FieldSql): SQL[] {
  return field.types.boolean ? [sql`${fields.typeOf(field)} <> 'boolean'`] : []
}

/** A condition on a text that stands for itself, or on a Date. */
function isText(condition: (text: SQL) => SQL, field: Field, fields: FieldSql): SQL {
  const columns = fields.columnsOf(field)
  if (columns.length === 1) return condition(columns[0]!.sql)
  const { structure, bigint } = field.types
  return all([
    sql`${columns[0]!.sql} = ${noNumber}`,
    condition(columns[1]!.sql),
    ...(structure ? [sql`${fields.typeOf(field)} = 'string'`] : []),
    ...(bigint ? [hasMeaning(field, fields, 'IS DISTINCT FROM')] : []),
  ])
}

/** A condition on the digits of a bigint among other values. */
function areDigits(condition: (text: SQL) => SQL, field: Field, fields: FieldSql): SQL {
  const [number, text] = fields.columnsOf(field)
  return all([
    sql`${number!.sql} = ${noNumber}`,
    condition(text!.sql),
    hasMeaning(field, fields, 'IS NOT DISTINCT FROM'),
  ])
}

/** Whether a text stands for a bigint, or does not; true for a missing value. */
function hasMeaning(field: Field, fields: FieldSql, comparison: string): SQL {
  return sql`(${fields.textOf(field)} IS NULL OR ${fields.meaningOf(field)} ${sql.raw(comparison)} 'bigint')`
}

function inSql({ field, items }: Of<'in'>, fields: FieldSql): SQL {
  switch (items.type) {
    case 'numbers': {
      const compared = sql`${fields.firstOf(field)} = ANY(${bound(items)})`
      return all([compared, ...notBoolean(field, fields)])
    }
    case 'texts':
      return isText((text) => sql`${text} = ANY(${bound(items)})`, field, fields)
    case 'bigints':
      return formOf(field.types) === 'bigint'
        ? sql`${fields.firstOf(field)} = ANY(${bound(items)})`
        : areDigits((text) => sql`${text} = ANY(${boundDigits(items)})`, field, fields)
  }
}

function textOf(field: Field, fields: FieldSql): SQL {
  return sql`(${fields.textOf(field)} COLLATE "C")`
}

function substringSql({ field, at, folded, text }: Of<'substring'>, fields: FieldSql): SQL {
  const found = folded ? sql`lower(${textOf(field, fields)})` : textOf(field, fields)
  const part = bound(text)
  const condition =
    at === 'anywhere' ? sql`strpos(${found}, ${part}) > 0` : sql`right(${found}, length(${part})) = ${part}`
  return ofTexts(condition, field, fields)
}

function prefixSql({ field, folded, text, end }: Of<'prefix'>, fields: FieldSql): SQL {
  if (folded) {
    return ofTexts(sql`starts_with(lower(${textOf(field, fields)}), ${bound(text)})`, field, fields)
  }
  return isText((found) => sql`${found} >= ${bound(text)} AND ${found} < ${bound(end)}`, field, fields)
}

/** A condition on texts only: null for a missing value, false for anything else. */
function ofTexts(condition: SQL, field: Field, fields: FieldSql): SQL {
  if (formOf(field.types) === 'text') return condition
  const isPlain = field.types.bigint
    ? sql` AND ${fields.meaningOf(field)} IS DISTINCT FROM 'bigint'`
    : sql.empty()
  return sql`CASE WHEN ${fields.textOf(field)} IS NULL THEN NULL WHEN ${fields.typeOf(field)} = 'string'${isPlain} THEN ${condition} ELSE FALSE END`
}

/** A condition on arrays only: null for a missing value, false for anything else. */
function ofArrays(condition: SQL, field: Field, fields: FieldSql): SQL {
  return sql`CASE WHEN ${fields.typeOf(field)} = 'array' THEN ${condition} WHEN ${fields.textOf(field)} IS NOT NULL THEN FALSE END`
}

function elementsSql({ quantifier, field, condition }: Of<'elements'>, fields: FieldSql): SQL {
  const element = fields.elements(field)
  const met = condition === null ? constant(true) : conditionSql(condition, element)
  const is = sql.raw(quantifier === 'some' ? 'IS TRUE' : 'IS NOT TRUE')
  const found = sql`EXISTS (SELECT 1 FROM ${fields.itemsOf(field)} AS ${element.columns} WHERE (${met}) ${is})`
  return ofArrays(quantifier === 'some' ? found : sql`NOT ${found}`, field, fields)
}

/** Every number has one text, except for 0. */
function includesSql({ field, element, items }: Of<'includes'>, fields: FieldSql): SQL {
  const item = fields.elements(field)
  const text = item.textOf(element)
  const isSame = [
    sql`json_typeof(${item.alias}.value) = json_typeof(wanted.value)`,
    sql`(CASE ${text} WHEN '-0' THEN CASE json_typeof(${item.alias}.value) WHEN 'number' THEN '0' ELSE '-0' END ELSE ${text} END COLLATE "C") = (wanted.value #>> '{}')`,
  ]
  if (items.type === 'bigints') {
    if (!isBigint(element.types)) isSame.push(sql`${item.meaningOf(element)} IS NOT DISTINCT FROM 'bigint'`)
  } else if (element.types.bigint) isSame.push(sql`${item.meaningOf(element)} IS DISTINCT FROM 'bigint'`)
  const each = sql`SELECT 1 FROM ${fields.itemsOf(field)} AS ${item.columns} WHERE ${all(isSame)}`
  const missing = sql`SELECT 1 FROM json_array_elements(${boundItems(items)}) AS wanted(value) WHERE NOT EXISTS (${each})`
  return ofArrays(sql`NOT EXISTS (${missing})`, field, fields)
}

/** All of these, in brackets. */
function all(conditions: readonly SQL[]): SQL {
  return conditions.length === 1 ? conditions[0]! : sql`(${sql.join([...conditions], sql.raw(' AND '))})`
}

/** Without conditions, `and` is true and `or` is false. */
function joined(conditions: readonly SQL[], by: 'and' | 'or'): SQL {
  if (conditions.length === 0) return constant(by === 'and')
  if (conditions.length === 1) return conditions[0]!
  return sql`(${sql.join([...conditions], sql.raw(by === 'and' ? ' AND ' : ' OR '))})`
}

function constant(value: boolean): SQL {
  return sql.raw(value ? 'TRUE' : 'FALSE')
}
