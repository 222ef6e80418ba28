import { QueryError } from '../contract/errors.ts'
import { type Field, type Fields, isBigint } from '../schema/fields.ts'
import { describe, quote } from './describe.ts'
import { checkOrdered } from './field-condition.ts'
import { parsePaths, parsePathTo } from './field-paths.ts'
import type { Slots } from './operand.ts'
import type { AggregatePlan, Direction, HavingCondition, Measure } from './plan.ts'
import { isPlainObject } from './query-reader.ts'
import { readBigint, readNumber, readText, scalarReader } from './scalar.ts'
import type { ObjectSyntax, OperandSyntax, Syntax } from './syntax.ts'
import type { UncheckedAggregate } from './unchecked.types.ts'

const measureNames = ['countDistinct', 'sum', 'avg', 'min', 'max'] as const
const comparisons: ReadonlySet<string> = new Set(['eq', 'ne', 'gt', 'gte', 'lt', 'lte'])

/** The most fields of groups and measures: no engine's limits on columns and terms are reached. */
const mostFields = 100

type Parsed = Pick<AggregatePlan, 'measures' | 'groupBy' | 'having' | 'order'>
type Name = Measure['name']

/** What an aggregate is checked against. */
interface AggregateContext {
  readonly fields: Fields
  readonly collection: string
  readonly slots: Slots
}

/** Checks an aggregate. Throws a QueryError for a name that is not a field, or a field that cannot be summed or ordered. */
export function parseAggregate(
  query: Omit<UncheckedAggregate, 'having'> & { readonly having: Syntax | null },
  context: AggregateContext,
): Parsed {
  const { fields, collection } = context
  const measures: Measure[] = []
  if (query.count !== undefined && query.count !== true)
    throw new QueryError(`count takes true: got ${describe(query.count)}`)
  if (query.count === true) measures.push({ name: 'count', field: null })
  for (const name of measureNames) {
    const paths = query[name] === undefined ? [] : Array.isArray(query[name]) ? query[name] : [query[name]]
    for (const path of paths) measures.push(measureOf(name, path, context))
  }
  if (measures.length === 0)
    throw new QueryError('An aggregate needs a figure: count: true, or sum, avg, min or max of a field')

  const isGrouped = query.groupBy !== undefined
  const groupBy =
    Array.isArray(query.groupBy) && query.groupBy.length === 0
      ? []
      : parsePaths(query.groupBy, 'groupBy', fields, collection)
  const having = query.having?.type === 'operand' && query.having.value === undefined ? null : query.having
  for (const option of ['having', 'orderBy', 'limit'] as const) {
    const isGiven = option === 'having' ? having !== null : query[option] !== undefined
    if (isGiven && !isGrouped)
      throw new QueryError(`${option} needs the groups of an aggregate: name their fields in groupBy`)
  }
  const order = parseGroupOrder(query.orderBy, groupBy, context)
  if (Math.max(measures.length, groupBy.length, order.length) > mostFields)
    throw new QueryError(`An aggregate may name at most ${mostFields} fields in each of its options`)
  return { measures, groupBy, having: having && parseHaving(having, context), order }
}

function measureOf(name: Name, path: unknown, { fields, collection }: AggregateContext): Measure {
  if (name === 'count') return { name, field: null }
  const field = parsePathTo(path, name, fields, collection)
  if (name === 'min' || name === 'max') checkOrdered(field, name)
  if ((name === 'sum' || name === 'avg') && !field.types.number && !isBigint(field.types))
    throw new QueryError(`${name} adds numbers or bigints, but '${field.path}' is neither`)
  return { name, field }
}

function parseHaving(part: Syntax, context: AggregateContext): HavingCondition {
  const conditions = objectOf(part, 'having').entries.flatMap(([key, inner]): HavingCondition[] => {
    if (key === 'AND' || key === 'OR') {
      if (inner.type !== 'list') throw new QueryError(`${key} takes an array of conditions`)
      const type = key === 'AND' ? 'and' : 'or'
      return [{ type, conditions: inner.items.map((item) => parseHaving(item, context)) }]
    }
    if (key === 'NOT') return [{ type: 'not', condition: parseHaving(inner, context) }]
    if (key === 'count') return comparisonsOf(measureOf('count', null, context), inner, context)
    if (!isMeasureName(key))
      throw new QueryError(
        `having compares count, countDistinct, sum, avg, min and max: there is no ${quote(key)}`,
      )
    return objectOf(inner, key).entries.flatMap(([path, operators]) =>
      comparisonsOf(measureOf(key, path, context), operators, context),
    )
  })
  return conditions.length === 1 ? conditions[0]! : { type: 'and', conditions }
}

function objectOf(part: Syntax, of: string): ObjectSyntax {
  if (part.type === 'object') return part
  throw new QueryError(
    `${of} takes an object: got ${part.type === 'list' ? 'an array' : describe(part.value)}`,
  )
}

function comparisonsOf(measure: Measure, part: Syntax, context: AggregateContext): HavingCondition[] {
  if (part.type === 'operand') return [comparisonOf(measure, 'eq', part, context)]
  return objectOf(part, measure.name).entries.map(([operator, operand]) => {
    if (!comparisons.has(operator))
      throw new QueryError(
        `${measure.name} compares by ${[...comparisons].join(', ')}: there is no ${quote(operator)}`,
      )
    if (operand.type === 'operand') return comparisonOf(measure, operator as 'eq', operand, context)
    throw new QueryError(`${operator} on ${measure.name} takes a number, a bigint, a text or a date`)
  })
}

type HavingOperator = Extract<HavingCondition, { type: 'compare' }>['operator']

function comparisonOf(
  measure: Measure,
  operator: HavingOperator,
  { value, leaf }: OperandSyntax,
  { slots }: AggregateContext,
): HavingCondition {
  const of = `${operator} on ${measure.name}`
  const { field, name } = measure
  const isCount = field === null || name === 'countDistinct'
  const compare = (operand: Extract<HavingCondition, { type: 'compare' }>['operand']) =>
    ({ type: 'compare', measure, operator, operand }) as const
  const isOrdered = name === 'min' || name === 'max'
  if (!isCount && isBigint(field.types) && name !== 'avg') {
    if (typeof value === 'bigint') return compare(slots.add('bigint', leaf, readBigint))
  } else if (typeof value === 'number' && (!isOrdered || field!.types.number || field!.types.boolean)) {
    return compare(slots.add('number', leaf, (it) => readNumber(it, of)))
  } else if (isOrdered && field !== null && typeof value === 'string' && !field.types.date) {
    if (field.types.string) return compare(slots.add('text', leaf, (it) => readText(it, of)))
  } else if (isOrdered && field?.types.date && (typeof value === 'string' || value instanceof Date)) {
    const rounding =
      operator === 'gt' || operator === 'lte'
        ? 'down'
        : operator === 'gte' || operator === 'lt'
          ? 'up'
          : 'none'
    return compare(slots.add('text', leaf, scalarReader(field, of, rounding)))
  }
  throw new QueryError(`${of} takes ${figureText(measure)}, as the figure is: got ${describe(value)}`)
}

function figureText({ name, field }: Measure): string {
  if (field === null || name === 'countDistinct' || name === 'avg') return 'a number'
  if (isBigint(field.types)) return 'a bigint'
  return name === 'sum' ? 'a number' : `a value as '${field.path}' has it`
}

function parseGroupOrder(
  orderBy: unknown,
  groupBy: readonly Field[],
  context: AggregateContext,
): Parsed['order'] {
  return entriesOf(orderBy ?? {}, 'orderBy').flatMap(([key, value]): Parsed['order'] => {
    if (key === 'count') return [{ by: measureOf('count', null, context), direction: directionOf(value) }]
    if (!isMeasureName(key) && key !== 'group') {
      throw new QueryError(
        `You can order an aggregate by count, countDistinct, sum, avg, min, max or group: there is no ${quote(key)}`,
      )
    }
    return entriesOf(value, key).map(([path, direction]) => ({
      by: key === 'group' ? groupField(groupBy, path) : measureOf(key, path, context),
      direction: directionOf(direction),
    }))
  })
}

function groupField(groupBy: readonly Field[], path: string): Field {
  const field = groupBy.find((one) => one.path === path)
  if (field === undefined)
    throw new QueryError(`orderBy: { group: … } names fields of groupBy: ${quote(path)} is not one`)
  checkOrdered(field, 'orderBy')
  return field
}

function directionOf(value: unknown): Direction {
  if (value === 'asc' || value === 'desc') return value
  throw new QueryError(`orderBy takes 'asc' or 'desc': got ${describe(value)}`)
}

function isMeasureName(name: string): name is (typeof measureNames)[number] {
  return (measureNames as readonly string[]).includes(name)
}

function entriesOf(value: unknown, of: string): [string, unknown][] {
  if (typeof value === 'object' && value !== null && isPlainObject(value)) return Object.entries(value)
  throw new QueryError(`${of} takes an object: got ${describe(value)}`)
}
