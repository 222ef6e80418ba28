// All conditions become SQL in one file, so that each operator is beside the others and its negation.
import { type SQL, sql } from 'drizzle-orm'
import { type Comparison, type Condition, conjuncts } from '../../../query/condition.ts'
import type { Slot } from '../../../query/operand.ts'
import { type Field, isBigint } from '../../../schema/fields.ts'
import { bound, boundGlob, boundInteger, boundIntegers } from './binding.ts'
import type { FieldSql } from './field-sql.ts'
import { isFound } from './search-sql.ts'

const signs = { eq: sql.raw('='), gt: sql.raw('>'), gte: sql.raw('>='), lt: sql.raw('<'), lte: sql.raw('<=') }

type Compare = Extract<Condition, { type: 'compare' }>
type Of<Type extends Condition['type']> = Extract<Condition, { type: Type }>

/**
 * A condition in SQL. If the schema allows several types for a field, the types are compared first, because to SQLite any text is
 * greater than any number, and `true` is 1. `beside`: conditions that are joined to this one by AND.
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
      return sql`not (${conditionSql(condition.condition, fields)})`
    case 'constant':
      return constant(condition.value)
    case 'null': {
      const { field } = condition
      const isNull = sql`${fields.of(field)} is null`
      // An index on a bigint begins with its integer.
      return isBigint(field.types) ? all([sql`${fields.integerOf(field)} is null`, isNull]) : isNull
    }
    case 'compare':
      return compareSql(condition, fields, beside)
    case 'boolean': {
      const compared = sql`${fields.of(condition.field)} = ${sql.raw(condition.value ? '1' : '0')}`
      const { number } = condition.field.types
      return number
        ? all([compared, sql`${fields.typeOf(condition.field)} not in ('integer', 'real')`])
        : compared
    }
    case 'zero': {
      const { field } = condition
      const found = fields.of(field)
      const equal = fields.hasTextZeros(field)
        ? [sql`${found} in (0, '-0')`, ...isNumber(field, fields)]
        : [sql`${found} = 0`]
      return all([...equal, ...otherTypes('number', field, fields)])
    }
    case 'in':
      return inSql(condition, fields)
    case 'like': {
      const found = fields.of(condition.field)
      const matched = condition.folded
        ? sql`${found} like ${bound(condition.pattern)} escape '\\'`
        : sql`${found} glob ${boundGlob(condition.pattern)}`
      return ofTexts(matched, condition.field, fields)
    }
    case 'substring':
      return substringSql(condition, fields)
    case 'prefix': {
      const { field, folded, text, end } = condition
      const found = folded ? sql`lower(${fields.of(field)})` : fields.of(field)
      const within = sql`${found} >= ${bound(text)} and ${found} < ${bound(end)}`
      // Numbers come before all texts, unless they are made texts.
      return folded
        ? ofTexts(sql`(${within})`, field, fields)
        : all([within, ...otherTypes('text', field, fields)])
    }
    case 'includes':
      return includesSql(condition, fields)
    case 'elements':
      return elementsSql(condition, fields)
    case 'key':
      return sql`kv.key ${signs[condition.operator]} ${bound(condition.key)}`
    case 'search':
      return isFound(condition, fields.shown)
    case 'keyIn':
      return sql`kv.key in (select unhex(value) from json_each(${bound(condition.keys)}))`
  }
}

/**
 * The operand of an equality. For a bare parameter, in a query with an order, SQLite plans the statement by its value, again for
 * each new value, which takes ten times as long as finding a row. Behind a plus sign, it ignores the value.
 */
function equalTo(parameter: SQL): SQL {
  return sql`+${parameter}`
}

function compareSql(condition: Compare, fields: FieldSql, beside: readonly Condition[]): SQL {
  const { field, operator, operand } = condition
  const found = fields.of(field)
  if (operand.type !== 'bigint') {
    const other = operator === 'eq' ? equalTo(bound(operand)) : bound(operand)
    return all([sql`${found} ${signs[operator]} ${other}`, ...sameType(condition, fields, beside)])
  }
  const compared = compareBigints(found, operator, operand)
  return isBigint(field.types) ? compared : all([compared, isBigintText(field, fields)])
}

/** Whether the text of a field stands for a bigint; true for a missing value. */
function isBigintText(field: Field, fields: FieldSql): SQL {
  return sql`(${fields.of(field)} is null or ${fields.meaningOf(field)} is 'bigint')`
}

/**
 * Compares the digits of a bigint with an operand: by their integers first; beyond 64 bits, more digits mean a greater number, or a
 * smaller one if negative.
 */
export function compareBigints(digits: SQL, operator: Comparison, operand: Slot<'bigint'>): SQL {
  const integer = sql`CAST(${digits} AS INTEGER)`
  const other = bound(operand)
  if (operator === 'eq')
    return sql`(${integer} = ${equalTo(boundInteger(operand))} and ${digits} = ${equalTo(other)})`
  const sign = signs[operator]
  const [near, far] = operator.startsWith('gt') ? [signs.gte, signs.gt] : [signs.lte, signs.lt]
  const sizes = sql`(length(${digits}), ${digits})`
  const others = sql`(length(${other}), ${other})`
  const told = sql`case when ${other} < '0' then ${others} ${sign} ${sizes} else ${sizes} ${sign} ${others} end`
  return sql`(${integer} ${near} ${boundInteger(operand)} and (${integer} ${far} ${boundInteger(operand)} or ${told}))`
}

/** The text '-0' is a number only if the field cannot be text. */
function isNumber(field: Field, fields: FieldSql): SQL[] {
  if (!field.types.string) return []
  return [sql`(typeof(${fields.of(field)}) <> 'text' or ${fields.meaningOf(field)} is 'number')`]
}

function inSql({ field, items }: Of<'in'>, fields: FieldSql): SQL {
  const found = fields.of(field)
  const compared = sql`${found} in (select value from json_each(${bound(items)}))`
  switch (items.type) {
    case 'numbers':
      return all([compared, ...isNumber(field, fields), ...otherTypes('number', field, fields)])
    case 'texts':
      return all([compared, ...otherTypes('text', field, fields)])
    case 'bigints':
      return isBigint(field.types)
        ? sql`(${fields.integerOf(field)} in (select value from json_each(${boundIntegers(items)})) and ${compared})`
        : all([compared, isBigintText(field, fields)])
  }
}

function substringSql({ field, at, folded, text }: Of<'substring'>, fields: FieldSql): SQL {
  const found = folded ? sql`lower(${fields.of(field)})` : fields.of(field)
  if (at === 'anywhere') return ofTexts(sql`instr(${found}, ${bound(text)}) > 0`, field, fields)
  // Compares bytes, because a NUL would end a text. An empty blob as the end is null to SQLite.
  const part = bound(text)
  const start = sql`octet_length(${found}) - octet_length(${part})`
  const end = sql`substr(cast(${found} as blob), ${start} + 1)`
  return ofTexts(sql`(${start} >= 0 and (${part} = '' or ${end} = cast(${part} as blob)))`, field, fields)
}

/** A condition on texts only: unknown for a missing value, false for anything else. */
function ofTexts(condition: SQL, field: Field, fields: FieldSql): SQL {
  const { number, boolean, structure, bigint } = field.types
  if (!number && !boolean && !structure && !bigint) return condition
  const found = fields.of(field)
  return all([sql`typeof(${found}) = 'text'`, ...otherTypes('text', field, fields), condition], found)
}

/** A condition on arrays only: unknown for a missing value, false for anything else. */
function ofArrays(condition: SQL, field: Field, fields: FieldSql): SQL {
  return sql`case when ${fields.typeOf(field)} is 'array' then ${condition} when ${fields.of(field)} is not null then 0 end`
}

function elementsSql({ quantifier, field, condition }: Of<'elements'>, fields: FieldSql): SQL {
  const element = fields.elements(field)
  const from = sql`${fields.itemsOf(field)} as ${element.alias}`
  const met = condition === null ? constant(true) : conditionSql(condition, element)
  const some = quantifier === 'some'
  const found = sql`exists (select 1 from ${from} where (${met}) is ${sql.raw(some ? '' : 'not ')}true)`
  return ofArrays(some ? found : sql`not ${found}`, field, fields)
}

function includesSql({ field, element, items }: Of<'includes'>, fields: FieldSql): SQL {
  const item = fields.elements(field)
  const isSame = [sql`${item.alias}.value = wanted.value`, sql`${item.alias}.type = wanted.type`]
  if (items.type === 'bigints') {
    if (!isBigint(element.types)) isSame.push(sql`${item.meaningOf(element)} is 'bigint'`)
  } else if (element.types.bigint) isSame.push(sql`${item.meaningOf(element)} is not 'bigint'`)
  const each = sql`select 1 from ${fields.itemsOf(field)} as ${item.alias} where ${all(isSame)}`
  const missing = sql`select 1 from json_each(${bound(items)}) as wanted where not exists (${each})`
  return ofArrays(sql`not exists (${missing})`, field, fields)
}

const upper: ReadonlySet<string> = new Set(['lt', 'lte', 'eq'])
const lower: ReadonlySet<string> = new Set(['gt', 'gte', 'eq'])

/**
 * In SQLite numbers come before texts, so a range with one bound needs a second one: NaN and the infinities are stored as texts
 * among numbers. If the query has a bound on that side, there must be no other: SQLite reads an index up to the first bound that it
 * meets.
 */
function sameType(condition: Compare, fields: FieldSql, beside: readonly Condition[]): SQL[] {
  const { field, operator, operand } = condition
  const { number, boolean } = field.types
  const isBounded = (operators: ReadonlySet<string>) =>
    beside.some(
      (one) =>
        one.type === 'compare' &&
        one.operand.type === operand.type &&
        one.field.path === field.path &&
        operators.has(one.operator),
    )
  const open: SQL[] = []
  if (operand.type === 'number' && (operator === 'gt' || operator === 'gte') && !isBounded(upper))
    open.push(sql`${fields.of(field)} < ''`)
  const isUpper = operator === 'lt' || operator === 'lte'
  if (operand.type === 'text' && (number || boolean) && isUpper && !isBounded(lower))
    open.push(sql`${fields.of(field)} >= ''`)
  return [...open, ...otherTypes(operand.type === 'number' ? 'number' : 'text', field, fields)]
}

function otherTypes(kind: 'number' | 'text', field: Field, fields: FieldSql): SQL[] {
  const { boolean, structure, bigint } = field.types
  if (kind === 'number') return boolean ? [sql`${fields.typeOf(field)} not in ('true', 'false')`] : []
  return [
    ...(structure ? [sql`${fields.typeOf(field)} not in ('object', 'array')`] : []),
    // For a missing place, such as a name inside an array of bigints, the types may still say something.
    ...(bigint ? [sql`(${fields.of(field)} is null or ${fields.meaningOf(field)} is not 'bigint')`] : []),
  ]
}

/** All of these; with `found`, unknown if that is null. */
function all(conditions: readonly SQL[], found?: SQL): SQL {
  const both =
    conditions.length === 1 ? conditions[0]! : sql`(${sql.join([...conditions], sql.raw(' and '))})`
  return found === undefined ? both : sql`case when ${found} is not null then ${both} end`
}

/**
 * Conditions joined by `and` or `or`, in nested halves, because SQLite allows a depth of 1,000. Without conditions, `and` is true
 * and `or` is false.
 */
function joined(conditions: readonly SQL[], by: 'and' | 'or'): SQL {
  if (conditions.length === 0) return constant(by === 'and')
  if (conditions.length === 1) return conditions[0]!
  if (conditions.length <= mostInRow) return sql`(${sql.join([...conditions], sql.raw(` ${by} `))})`
  const half = Math.ceil(conditions.length / 2)
  return sql`(${joined(conditions.slice(0, half), by)} ${sql.raw(by)} ${joined(conditions.slice(half), by)})`
}

const mostInRow = 16

function constant(value: boolean): SQL {
  return sql.raw(value ? '1' : '0')
}
