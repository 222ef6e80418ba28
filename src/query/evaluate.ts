import { compareBytes } from '../key/codec.ts'
import { contains } from '../key/range.ts'
import { encodeValue } from '../value/codec.ts'
import type { Condition, Operand } from './condition.ts'
import { matchesLike } from './like.ts'
import type { FindPlan, OrderTerm, Planned, Selection } from './plan.ts'
import { storedForm, storedItems, valueAt } from './stored-form.ts'
import { compareText } from './text-order.ts'

/** A row as it is compared: its encoded key and its decoded value. */
export interface ComparedRow {
  readonly key: Uint8Array
  readonly value: unknown
}

/** What a condition is of a value, as in SQL: `null` is "unknown". */
function evaluate(condition: Condition, operands: readonly Operand[], value: unknown): boolean | null {
  switch (condition.type) {
    case 'and':
    case 'or': {
      const decisive = condition.type === 'or'
      let result: boolean | null = !decisive
      for (const inner of condition.conditions) {
        const one = evaluate(inner, operands, value)
        if (one === decisive) return decisive
        if (one === null) result = null
      }
      return result
    }
    case 'not': {
      const inner = evaluate(condition.condition, operands, value)
      return inner === null ? null : !inner
    }
    case 'constant':
      return condition.value
    case 'contains': {
      const found = valueAt(value, condition.field.path)
      if (storedForm(found) === null) return null
      const items: unknown[] | undefined = storedItems(found)?.map(storedForm)
      return items !== undefined && listIn(operands, condition.items).every((item) => items.includes(item))
    }
    case 'null':
      return storedForm(valueAt(value, condition.field.path)) === null
  }
  const found = storedForm(valueAt(value, condition.field.path))
  if (found === null) return null
  switch (condition.type) {
    case 'compare': {
      const operand = operands[condition.operand] as string | number
      if (typeof found !== condition.kind) return false
      const order = compareScalars(found as string | number, operand)
      switch (condition.operator) {
        case 'eq':
          return order === 0
        case 'gt':
          return order > 0
        case 'gte':
          return order >= 0
        case 'lt':
          return order < 0
        case 'lte':
          return order <= 0
      }
      break
    }
    case 'boolean':
      return found === condition.value
    case 'in':
      return typeof found === condition.kind && listIn(operands, condition.items).includes(found as string)
    case 'like':
      return (
        typeof found === 'string' &&
        matchesLike(found, operands[condition.pattern] as string, condition.caseSensitive)
      )
  }
}

/** Whether a row belongs to a selection; limits, offsets and cursors aside. */
export function selects(
  { where, range }: Selection,
  operands: readonly Operand[],
  row: ComparedRow,
): boolean {
  if (range !== null) {
    const keys = { start: operands[range.start] as Uint8Array, end: operands[range.end] as Uint8Array }
    if (!contains(keys, row.key)) return false
  }
  return where === null || evaluate(where, operands, row.value) === true
}

/** The total order of a query's rows. */
export function rowOrder({ order, keyDirection }: Pick<FindPlan, 'order' | 'keyDirection'>) {
  return (a: ComparedRow, b: ComparedRow): number => {
    for (const term of order) {
      const compared = compareSortable(sortable(a.value, term), sortable(b.value, term))
      if (compared !== 0) return term.direction === 'asc' ? compared : -compared
    }
    const compared = compareBytes(a.key, b.key)
    return keyDirection === 'asc' ? compared : -compared
  }
}

/** The rows that a query finds among these, in its order: what SQL gives for the same plan. */
export function findRows<R extends ComparedRow>(
  { plan, operands }: Planned<FindPlan>,
  rows: Iterable<R>,
): R[] {
  const compare = rowOrder(plan)
  const found = [...rows].filter((row) => selects(plan, operands, row)).sort(compare)
  const rest = plan.after === null ? found : found.filter((row) => isBehind(plan, operands, row))
  const offset = plan.offset === null ? 0 : (operands[plan.offset] as number)
  const limit = plan.limit === null ? rest.length : (operands[plan.limit] as number)
  return rest.slice(offset, offset + limit)
}

/** Whether a row comes behind the query's cursor; true where it has none. */
export function isBehind(
  { order, keyDirection, after }: Pick<FindPlan, 'order' | 'keyDirection' | 'after'>,
  operands: readonly Operand[],
  row: ComparedRow,
): boolean {
  if (after === null) return true
  for (const [i, term] of order.entries()) {
    const slot = after.values[i]!
    const cursor = slot === null ? null : (operands[slot] as string | number)
    const compared = compareSortable(sortable(row.value, term), cursor)
    if (compared !== 0) return term.direction === 'asc' ? compared > 0 : compared < 0
  }
  const compared = compareBytes(row.key, operands[after.key] as Uint8Array)
  return keyDirection === 'asc' ? compared > 0 : compared < 0
}

/** What a row is ordered by: as SQLite sees it, booleans are 0 and 1, objects and arrays their JSON text. */
export function sortable(value: unknown, { field }: OrderTerm): string | number | null {
  const found = storedForm(valueAt(value, field.path))
  if (typeof found === 'boolean') return found ? 1 : 0
  return typeof found === 'object' && found !== null ? String(encodeValue(found).value) : found
}

/** Null first, then numbers, then texts. */
function compareSortable(a: string | number | null, b: string | number | null): number {
  const rank = rankOf(a) - rankOf(b)
  return rank !== 0 || a === null ? rank : compareScalars(a, b as string | number)
}

function rankOf(value: string | number | null): number {
  return value === null ? 0 : typeof value === 'number' ? 1 : 2
}

function compareScalars(a: string | number, b: string | number): number {
  if (typeof a === 'string') return compareText(a, b as string)
  return a < (b as number) ? -1 : a > (b as number) ? 1 : 0
}

function listIn(operands: readonly Operand[], slot: number): readonly unknown[] {
  return operands[slot] as readonly unknown[]
}
