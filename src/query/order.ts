import { QueryError } from '../errors.ts'
import { type Condition, conjuncts } from './condition.ts'
import { deepestField, isFieldName } from './field-name.ts'
import type { Field, Fields, Place } from './fields.ts'
import { typesOf } from './fields.ts'
import type { Direction, OrderTerm } from './plan.ts'
import { isPlainObject } from './shape.ts'
import { checkOrdered, describe, quote } from './where.ts'

const mostTerms = 100

/** An index, as far as the order of a query depends on it. */
interface OrderingIndex {
  readonly fields: readonly string[]
}

/**
 * The terms of an `orderBy`, `{ age: 'desc', address: { city: 'asc' } }` or an array of such objects.
 *
 * Throws a QueryError for what is no field, no direction, or cannot be ordered.
 */
export function parseOrder(orderBy: unknown, fields: Fields, collection: string): OrderTerm[] {
  if (orderBy === undefined) return []
  const terms: OrderTerm[] = []
  const visit = (value: unknown, place: Place, path: readonly string[]): void => {
    if (typeof value !== 'object' || value === null || !isPlainObject(value)) {
      throw new QueryError(
        `orderBy takes fields with 'asc' or 'desc', as { age: 'desc' }: got ${describe(value)}`,
      )
    }
    for (const name of Object.keys(value)) {
      const child = isFieldName(name) && path.length < deepestField ? fields.child(place, name) : null
      if (child === null) throw new QueryError(`There is no field ${quote(name)} to order '${collection}' by`)
      const inner = value[name]
      const dotted = [...path, name].join('.')
      if (inner !== 'asc' && inner !== 'desc') visit(inner, child, [...path, name])
      else terms.push(orderTerm({ path: dotted, types: typesOf(child) }, inner))
    }
  }
  for (const part of Array.isArray(orderBy) ? orderBy : [orderBy]) visit(part, fields.root, [])
  const paths = terms.map(({ field }) => field.path)
  const twice = paths.find((path, i) => paths.indexOf(path) !== i)
  if (twice !== undefined) throw new QueryError(`orderBy names '${twice}' twice`)
  if (terms.length > mostTerms) throw new QueryError(`orderBy names at most ${mostTerms} fields`)
  return terms
}

function orderTerm(field: Field, direction: Direction): OrderTerm {
  checkOrdered(field, 'orderBy')
  const { number, string, boolean, bigint } = field.types
  if (field.types.structure && !number && !string && !boolean && !bigint) {
    throw new QueryError(`orderBy cannot order by '${field.path}', an object or array: name a field in it`)
  }
  return { field, direction }
}

/**
 * The order of a query that names none: by key, or by the indexed field that its condition has a range on, since the
 * rows come from the index in that order and need no sort.
 */
export function defaultOrder(where: Condition | null, indexes: readonly OrderingIndex[]): OrderTerm[] {
  const conditions = conjuncts(where)
  for (const { fields } of indexes) {
    const equal = fields.findIndex(
      (path) => !conditions.some((one) => isEquality(one) && one.field.path === path),
    )
    if (equal === -1) return []
    const range = conditions.filter(isRange).find(({ field }) => field.path === fields[equal])
    if (range !== undefined) return [{ field: range.field, direction: 'asc' }]
  }
  return []
}

function isEquality(condition: Condition): condition is Extract<Condition, { field: Field }> {
  return condition.type === 'boolean' || (condition.type === 'compare' && condition.operator === 'eq')
}

function isRange(condition: Condition): condition is Extract<Condition, { type: 'in' | 'compare' }> {
  return condition.type === 'in' || (condition.type === 'compare' && condition.operator !== 'eq')
}
