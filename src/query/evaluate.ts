// The meaning of a plan in JavaScript is in one file, kind by kind: live queries and the tests of every engine rely on it.
import { compareBytes } from '../key/codec.ts'
import { contains } from '../key/range.ts'
import { isBigint } from '../schema/fields.ts'
import { encodeValue } from '../value/codec.ts'
import { compareBigints, compareStoredBigints } from './bigint-order.ts'
import type { Comparison, Condition } from './condition.ts'
import { foldCase, matchesLike } from './like.ts'
import { type Operand, operandAt, type Slot } from './operand.ts'
import type { FindPlan, OrderTerm, Planned, Selection } from './plan.ts'
import { storedForm, valueAt } from './stored-form.ts'
import { compareText } from './text-order.ts'

/** A row for comparing: its encoded key, and its value from `comparedValue`. */
export interface ComparedRow {
  readonly key: Uint8Array
  readonly value: unknown
}

type FieldCondition = Exclude<
  Condition,
  { type: 'and' | 'or' | 'not' | 'constant' | 'key' | 'keyIn' | 'null' | 'search' }
>

/** The value of a condition for a row, as in SQL: `null` is "unknown". */
function evaluate(condition: Condition, operands: readonly Operand[], row: ComparedRow): boolean | null {
  switch (condition.type) {
    case 'and':
    case 'or': {
      const decisive = condition.type === 'or'
      let result: boolean | null = !decisive
      for (const inner of condition.conditions) {
        const one = evaluate(inner, operands, row)
        if (one === decisive) return decisive
        if (one === null) result = null
      }
      return result
    }
    case 'not': {
      const inner = evaluate(condition.condition, operands, row)
      return inner === null ? null : !inner
    }
    case 'constant':
      return condition.value
    case 'key':
      return holds(condition.operator, compareBytes(row.key, operandAt(operands, condition.key)))
    case 'keyIn':
      return operandAt(operands, condition.keys).some((key) => compareBytes(row.key, key) === 0)
    case 'search':
      throw new TypeError('Only the engine knows the words of a text')
    case 'null':
      return storedForm(valueAt(row.value, condition.field.names)) === null
    case 'compare':
    case 'boolean':
    case 'zero':
    case 'in':
    case 'like':
    case 'substring':
    case 'prefix':
    case 'includes':
    case 'elements': {
      const found = valueAt(row.value, condition.field.names)
      return storedForm(found) === null ? null : meets(condition, operands, found, row.key)
    }
  }
}

/** The value of a condition for a value that is present. */
function meets(
  condition: FieldCondition,
  operands: readonly Operand[],
  found: unknown,
  key: Uint8Array,
): boolean {
  // The digits of a bigint are not text.
  const stored = typeof found === 'bigint' ? null : storedForm(found)
  switch (condition.type) {
    case 'compare': {
      const { operand, operator } = condition
      if (operand.type === 'bigint') {
        return (
          typeof found === 'bigint' &&
          holds(operator, compareBigints(found, BigInt(operandAt(operands, operand))))
        )
      }
      const other = operandAt(operands, operand)
      return (
        typeof stored === typeof other && holds(operator, compareScalars(stored as string, other as string))
      )
    }
    case 'boolean':
      return stored === condition.value
    case 'zero':
      return stored === 0
    case 'in':
      return isOneOf(found, condition.items, operands)
    case 'like':
      return (
        typeof stored === 'string' &&
        matchesLike(stored, operandAt(operands, condition.pattern), condition.folded)
      )
    case 'substring': {
      if (typeof stored !== 'string') return false
      const text = condition.folded ? foldCase(stored) : stored
      const part = operandAt(operands, condition.text)
      return condition.at === 'end' ? text.endsWith(part) : text.includes(part)
    }
    case 'prefix': {
      if (typeof stored !== 'string') return false
      const text = condition.folded ? foldCase(stored) : stored
      return text.startsWith(operandAt(operands, condition.text))
    }
    case 'includes': {
      if (!Array.isArray(found)) return false
      const { items } = condition
      const has = new Set<unknown>(
        found.filter((item) => isBigints(items) === (typeof item === 'bigint')).map(storedForm),
      )
      return (operandAt(operands, items) as readonly unknown[]).every((item) => has.has(item))
    }
    case 'elements': {
      if (!Array.isArray(found)) return false
      const elements: readonly unknown[] = found
      const { condition: inner, quantifier } = condition
      if (inner === null) return elements.length > 0
      const isMet = (value: unknown) => evaluate(inner, operands, { key, value }) === true
      return quantifier === 'some' ? elements.some(isMet) : elements.every(isMet)
    }
  }
}

function isOneOf(
  found: unknown,
  items: Slot<'numbers' | 'texts' | 'bigints'>,
  operands: readonly Operand[],
): boolean {
  if (isBigints(items) !== (typeof found === 'bigint')) return false
  return (operandAt(operands, items) as readonly unknown[]).includes(storedForm(found))
}

/** A bigint is only compared with bigints. */
function isBigints({ type }: Slot): boolean {
  return type === 'bigints'
}

function holds(operator: Comparison, order: number): boolean {
  switch (operator) {
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
}

/** Whether a row belongs to a selection, regardless of limit, offset and cursor. */
export function selects(
  { where, range }: Selection,
  operands: readonly Operand[],
  row: ComparedRow,
): boolean {
  if (range !== null) {
    const keys = { start: operandAt(operands, range.start), end: operandAt(operands, range.end) }
    if (!contains(keys, row.key)) return false
  }
  return where === null || evaluate(where, operands, row) === true
}

/** The total order of a query's rows. */
export function rowOrder({ order, keyDirection }: Pick<FindPlan, 'order' | 'keyDirection'>) {
  return (a: ComparedRow, b: ComparedRow): number => {
    for (const term of order) {
      const compared = compareSortable(term, sortable(a.value, term), sortable(b.value, term))
      if (compared !== 0) return term.direction === 'asc' ? compared : -compared
    }
    const compared = compareBytes(a.key, b.key)
    return keyDirection === 'asc' ? compared : -compared
  }
}

/** The rows that a query finds among these, in its order: the same that SQL returns for the plan. */
export function findRows<R extends ComparedRow>(
  { plan, operands }: Planned<FindPlan>,
  rows: Iterable<R>,
): R[] {
  const found = [...rows].filter((row) => selects(plan, operands, row)).sort(rowOrder(plan))
  const different = firstOfEach(plan.distinct, found)
  const rest = plan.after === null ? different : different.filter((row) => isBehind(plan, operands, row))
  const offset = plan.offset === null ? 0 : operandAt(operands, plan.offset)
  const limit = plan.limit === null ? rest.length : operandAt(operands, plan.limit)
  return rest.slice(offset, offset + limit)
}

/** The first of the rows with the same values in these fields. */
function firstOfEach<R extends ComparedRow>(fields: FindPlan['distinct'], rows: R[]): R[] {
  if (fields.length === 0) return rows
  const seen = new Set<string>()
  return rows.filter(({ value }) => {
    const text = JSON.stringify(fields.map(({ names }) => identity(valueAt(value, names))))
    return seen.size < seen.add(text).size
  })
}

/** Equal for values with the same stored form, and only for those. */
function identity(value: unknown): unknown {
  const stored = storedForm(value)
  return typeof stored === 'object' && stored !== null ? [encodeValue(value).value] : stored
}

/** Whether a row comes after the query's cursor; true without a cursor. */
export function isBehind(
  { order, keyDirection, after }: Pick<FindPlan, 'order' | 'keyDirection' | 'after'>,
  operands: readonly Operand[],
  row: ComparedRow,
): boolean {
  if (after === null) return true
  for (const [i, term] of order.entries()) {
    const slot = after.values[i]!
    const cursor = slot === null ? null : operandAt(operands, slot)
    const compared = compareSortable(term, sortable(row.value, term), cursor)
    if (compared !== 0) return term.direction === 'asc' ? compared > 0 : compared < 0
  }
  const compared = compareBytes(row.key, operandAt(operands, after.key))
  return keyDirection === 'asc' ? compared > 0 : compared < 0
}

/** What a row is ordered by, in every engine: booleans are 0 and 1, objects and arrays are their JSON text. */
export function sortable(value: unknown, { field }: OrderTerm): string | number | null {
  const found = storedForm(valueAt(value, field.names))
  if (typeof found === 'boolean') return found ? 1 : 0
  return typeof found === 'object' && found !== null ? String(encodeValue(found).value) : found
}

/** Null first, then numbers, then texts; bigints are compared as numbers. */
function compareSortable({ field }: OrderTerm, a: string | number | null, b: string | number | null): number {
  if (isBigint(field.types) && a !== null && b !== null) return compareStoredBigints(a, b)
  const rank = rankOf(a) - rankOf(b)
  if (rank !== 0 || a === null) return rank
  return compareScalars(a, b as string | number)
}

function rankOf(value: string | number | null): number {
  return value === null ? 0 : typeof value === 'number' ? 1 : 2
}

function compareScalars(a: string | number, b: string | number): number {
  if (typeof a === 'string') return compareText(a, b as string)
  return a < (b as number) ? -1 : a > (b as number) ? 1 : 0
}
