import { QueryError } from '../errors.ts'
import { deepestField, isFieldName } from './field-name.ts'
import type { Field, Fields } from './fields.ts'
import type { SlotSource } from './operand.ts'
import type { AggregatePlan, Direction, HavingCondition, Measure } from './plan.ts'
import { isPlainObject } from './shape.ts'
import type { UncheckedAggregate } from './unchecked.types.ts'
import { checkOrdered, describe, quote } from './where.ts'

const measureNames = ['sum', 'avg', 'min', 'max'] as const
const comparisons: ReadonlySet<string> = new Set(['eq', 'ne', 'gt', 'gte', 'lt', 'lte'])

/** Fields of groups and measures: their columns and terms stay below what SQLite takes. */
const mostFields = 100

type Parsed = Pick<AggregatePlan, 'measures' | 'groupBy' | 'having' | 'order'>
type Name = Measure['name']

/**
 * Checks what an aggregate asks for. The leaves of its `having` are counted from `firstLeaf` on, as by `Shape`.
 * Throws a QueryError for what is no field, or cannot be summed or ordered.
 */
export function parseAggregate(
  query: UncheckedAggregate,
  fields: Fields,
  collection: string,
  sources: SlotSource[],
  firstLeaf: number,
): Parsed {
  const fieldAt = (path: unknown, of: string): Field => {
    const field = isPath(path) ? fields.at(path) : null
    if (field === null)
      throw new QueryError(
        `There is no field ${typeof path === 'string' ? quote(path) : describe(path)} in the values of '${collection}' for ${of}`,
      )
    return field
  }
  const measure = (name: Name, path: unknown): Measure => {
    if (name === 'count') return { name, field: null }
    const field = fieldAt(path, name)
    checkOrdered(field, name)
    if ((name === 'sum' || name === 'avg') && !field.types.number) {
      throw new QueryError(`${name} adds numbers, and '${field.path}' is none`)
    }
    return { name, field }
  }

  const measures: Measure[] = []
  if (query.count !== undefined && query.count !== true)
    throw new QueryError(`count takes true: got ${describe(query.count)}`)
  if (query.count === true) measures.push({ name: 'count', field: null })
  for (const name of measureNames) {
    const paths = query[name] === undefined ? [] : Array.isArray(query[name]) ? query[name] : [query[name]]
    for (const path of paths) measures.push(measure(name, path))
  }
  if (measures.length === 0)
    throw new QueryError('An aggregate asks for a figure: count: true, or sum, avg, min or max of a field')

  const groups =
    query.groupBy === undefined ? [] : Array.isArray(query.groupBy) ? query.groupBy : [query.groupBy]
  const groupBy = groups.map((path: unknown) => fieldAt(path, 'groupBy'))
  for (const option of ['having', 'orderBy', 'limit'] as const) {
    if (query[option] !== undefined && query.groupBy === undefined)
      throw new QueryError(`${option} is of the groups of an aggregate: name their fields by groupBy`)
  }

  let leaf = firstLeaf
  const having = (value: unknown): HavingCondition => {
    const conditions: HavingCondition[] = []
    for (const [key, inner] of entriesOf(value, 'having')) {
      if (key === 'AND' || key === 'OR') {
        if (!Array.isArray(inner) || inner.length === 0)
          throw new QueryError(`${key} takes an array of conditions`)
        conditions.push({ type: key === 'AND' ? 'and' : 'or', conditions: inner.map(having) })
      } else if (key === 'NOT') conditions.push({ type: 'not', condition: having(inner) })
      else if (key === 'count') conditions.push(...compare(measure('count', null), inner))
      else if (isMeasureName(key)) {
        for (const [path, operators] of entriesOf(inner, key))
          conditions.push(...compare(measure(key, path), operators))
      } else throw new QueryError(`having compares count, sum, avg, min and max: there is no ${quote(key)}`)
    }
    return conditions.length === 1 ? conditions[0]! : { type: 'and', conditions }
  }
  const compare = (of: Measure, value: unknown): HavingCondition[] => {
    const operators =
      typeof value === 'object' && !(value instanceof Date)
        ? entriesOf(value, of.name)
        : [['eq', value] as const]
    return operators.map(([operator, operand]) => {
      if (!comparisons.has(operator))
        throw new QueryError(
          `${of.name} compares by ${[...comparisons].join(', ')}: there is no ${quote(operator)}`,
        )
      const isRight = typeof operand === 'number' || typeof operand === 'string' || operand instanceof Date
      if (!isRight)
        throw new QueryError(
          `${operator} on ${of.name} takes a number, a text or a date: got ${describe(operand)}`,
        )
      const slot = sources.push({ leaf: leaf++, as: 'scalar', of: `${operator} on ${of.name}` }) - 1
      return { type: 'compare', measure: of, operator: operator as 'eq', operand: slot }
    })
  }

  const order = entriesOf(query.orderBy ?? {}, 'orderBy').flatMap(([key, value]): Parsed['order'] => {
    if (key === 'count') return [{ by: measure('count', null), direction: directionOf(value) }]
    if (!isMeasureName(key) && key !== 'group') {
      throw new QueryError(
        `An aggregate is ordered by count, sum, avg, min, max or group: there is no ${quote(key)}`,
      )
    }
    return entriesOf(value, key).map(([path, direction]) => ({
      by: key === 'group' ? groupField(groupBy, path) : measure(key, path),
      direction: directionOf(direction),
    }))
  })
  if (Math.max(measures.length, groupBy.length, order.length) > mostFields)
    throw new QueryError(`An aggregate names at most ${mostFields} fields in each of its options`)
  return { measures, groupBy, having: query.having === undefined ? null : having(query.having), order }
}

function groupField(groupBy: readonly Field[], path: string): Field {
  const field = groupBy.find((one) => one.path === path)
  if (field === undefined)
    throw new QueryError(`orderBy: { group: … } names fields of groupBy: ${quote(path)} is none`)
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

function isPath(path: unknown): path is string {
  if (typeof path !== 'string') return false
  const names = path.split('.')
  return names.length <= deepestField && names.every(isFieldName)
}
