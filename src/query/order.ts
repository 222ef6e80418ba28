import { QueryError } from '../contract/errors.ts'
import { deepestField, isFieldName } from '../schema/field-path.ts'
import { type Field, type Fields, fieldAt, isBigint, type Place } from '../schema/fields.ts'
import { type Condition, conjuncts } from './condition.ts'
import { describe, quote } from './describe.ts'
import { checkOrdered } from './field-condition.ts'
import type { Direction, OrderTerm } from './plan.ts'
import { isPlainObject } from './query-reader.ts'
import { rankField, rankName } from './rank.ts'
import { fieldHint } from './unknown-name.ts'
import { fieldName, idName } from './where.ts'

const mostTerms = 100

/** The parts of an index that matter for the order of a query. */
interface OrderingIndex {
  readonly fields: readonly string[]
}

/** An order of rows: by the terms, then by the key, which is unique. */
export interface Order {
  readonly terms: readonly OrderTerm[]
  readonly keyDirection: Direction
}

/**
 * The terms of an `orderBy`: `{ age: 'desc', address: { city: 'asc' } }`, or an array of such objects. Terms after `$id` have no
 * effect. Throws a QueryError for a name that is not a field, for a wrong direction, and for a field that cannot be ordered.
 */
export function parseOrder(orderBy: unknown, fields: Fields, collection: string): Order {
  const terms: OrderTerm[] = []
  let keyDirection: Direction | null = null
  const visit = (value: unknown, place: Place, names: readonly string[]): void => {
    if (typeof value !== 'object' || value === null || !isPlainObject(value)) {
      throw new QueryError(
        `orderBy takes fields with 'asc' or 'desc', such as { age: 'desc' }: got ${describe(value)}`,
      )
    }
    for (const key of Object.keys(value)) {
      const inner = value[key]
      if (key === idName && names.length === 0) {
        if (inner !== 'asc' && inner !== 'desc')
          throw new QueryError(`orderBy takes 'asc' or 'desc' for '${idName}': got ${describe(inner)}`)
        keyDirection ??= inner
        continue
      }
      if (key === rankName && names.length === 0) {
        if (inner !== 'asc' && inner !== 'desc')
          throw new QueryError(`orderBy takes 'asc' or 'desc' for '${rankName}': got ${describe(inner)}`)
        if (keyDirection === null) terms.push({ field: rankField, direction: inner })
        continue
      }
      const name = fieldName(key)
      const child = isFieldName(name) && names.length < deepestField ? fields.child(place, name) : null
      if (child === null) {
        const hint =
          name === 'id' && names.length === 0
            ? `: the id of a row is ${idName}`
            : fieldHint(name, place, fields)
        throw new QueryError(`There is no field ${quote(name)} to order '${collection}' by${hint}`)
      }
      if (typeof inner !== 'object' && inner !== 'asc' && inner !== 'desc')
        throw new QueryError(
          `orderBy takes 'asc' or 'desc' for ${quote(name)}: got ${typeof inner === 'string' ? quote(inner) : describe(inner)}`,
        )
      const path = [...names, name]
      if (inner !== 'asc' && inner !== 'desc') visit(inner, child, path)
      else if (keyDirection === null) terms.push(orderTerm(fieldAt(path, child), inner))
    }
  }
  for (const part of Array.isArray(orderBy) ? orderBy : [orderBy ?? {}]) visit(part, fields.root, [])
  const paths = terms.map(({ field }) => field.path)
  const twice = paths.find((path, i) => paths.indexOf(path) !== i)
  if (twice !== undefined) throw new QueryError(`orderBy names '${twice}' twice`)
  if (terms.length > mostTerms) throw new QueryError(`orderBy may name at most ${mostTerms} fields`)
  return { terms, keyDirection: keyDirection ?? terms.at(-1)?.direction ?? 'asc' }
}

function orderTerm(field: Field, direction: Direction): OrderTerm {
  checkOrdered(field, 'orderBy')
  return { field, direction }
}

/**
 * The order of a query without `orderBy`: by key, or by the indexed field that its condition has a range on, because the index
 * returns rows in that order, and no sort is needed.
 */
export function defaultOrder(where: Condition | null, indexes: readonly OrderingIndex[]): OrderTerm[] {
  const conditions = conjuncts(where)
  if (conditions.some(({ type }) => type === 'key' || type === 'keyIn' || type === 'search')) return []
  for (const { fields } of indexes) {
    const equal = fields.findIndex(
      (path) => !conditions.some((one) => isEquality(one) && one.field.path === path),
    )
    if (equal === -1) return []
    const range = conditions.filter(isOrderedRange).find(({ field }) => field.path === fields[equal])
    if (range !== undefined) return [{ field: range.field, direction: 'asc' }]
  }
  return []
}

function isEquality(condition: Condition): condition is Extract<Condition, { field: Field }> {
  if (condition.type === 'boolean' || condition.type === 'zero') return true
  return condition.type === 'compare' && condition.operator === 'eq'
}

/** A range over a field with an order; a bigint field has one only if its values are nothing else. */
function isOrderedRange(
  condition: Condition,
): condition is Extract<Condition, { type: 'in' | 'compare' | 'prefix' }> {
  if (condition.type === 'prefix') return !condition.folded
  if (condition.type === 'in') return condition.items.type !== 'bigints' || isBigint(condition.field.types)
  if (condition.type !== 'compare' || condition.operator === 'eq') return false
  return condition.operand.type !== 'bigint' || isBigint(condition.field.types)
}
