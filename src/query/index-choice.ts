import type { IndexDeclaration } from '../catalog/catalog.ts'
import { type Field, isBigint } from '../schema/fields.ts'
import type { Condition } from './condition.ts'
import type { OrderTerm, Plan, Selection } from './plan.ts'

/** The index that a query uses. */
export interface IndexChoice {
  readonly index: IndexDeclaration
  /** The fields for which the condition requires one value: all rows found have the same value there. */
  readonly fixed: ReadonlySet<string>
  /** Whether it finds only some of its rows; otherwise the query reads all of them, in its order. */
  readonly narrows: boolean
  /** Whether it returns rows in the order of the query, apart from the key. */
  readonly ordered: boolean
}

/**
 * The declared index that serves a query best: the one with the most leading fields under equality, then a range on the next field,
 * then the query's order. `null`: none does. `withoutTextZeros`: paths of numbers for which no row has the text '-0', so 0 is one
 * value. The choice is the same for every engine. Without statistics, an engine would rather read a whole collection than a range
 * of such an index.
 */
export function chooseIndex(
  { where, range }: Pick<Selection, 'where' | 'range'>,
  order: readonly OrderTerm[],
  indexes: readonly IndexDeclaration[],
  withoutTextZeros: ReadonlySet<string>,
): IndexChoice | null {
  const equal = new Set<string>()
  const listed = new Set<string>()
  const ranged = new Map<string, Field>()
  const conditions = required(where)
  const byKey = range !== null || conditions.some(isOfKey)
  for (const condition of conditions) {
    const use = indexUse(condition, withoutTextZeros)
    if (use === null) continue
    const { field } = use
    if (use.as === 'equal') equal.add(field.path)
    else if (use.as === 'list') listed.add(field.path)
    else ranged.set(field.path, field)
  }
  let best: IndexChoice | null = null
  let bestScore = 0
  for (const index of indexes) {
    let leading = 0
    while (leading < index.fields.length && equal.has(index.fields[leading]!)) leading++
    const next = index.fields[leading]
    const bounded = next !== undefined && (sorts(index, ranged.get(next)) || listed.has(next))
    const ordered = isOrdered(index, leading, order, equal)
    const found = leading === index.fields.length && index.unique
    // The keys under a prefix, or given ids, are a range themselves. Only an exact match is better.
    if (byKey && !found) continue
    const score = leading * 8 + (found ? 4 : 0) + (bounded ? 4 : 0) + (ordered && order.length > 0 ? 3 : 0)
    if (score > bestScore) {
      bestScore = score
      best = { index, fixed: equal, narrows: leading > 0 || bounded, ordered }
    }
  }
  return best
}

/** How an index on its field can serve a condition: by one value, by several values one by one, or by a range. Null: not at all. */
function indexUse(
  condition: Condition,
  withoutTextZeros: ReadonlySet<string>,
): { readonly field: Field; readonly as: 'equal' | 'list' | 'range' } | null {
  switch (condition.type) {
    case 'boolean':
      return { field: condition.field, as: 'equal' }
    case 'zero':
      return { field: condition.field, as: withoutTextZeros.has(condition.field.path) ? 'equal' : 'list' }
    case 'in':
    case 'null':
      return { field: condition.field, as: 'list' }
    case 'prefix':
      return condition.folded ? null : { field: condition.field, as: 'range' }
    case 'compare': {
      const { field, operator, operand } = condition
      if (operator === 'eq') return { field, as: 'equal' }
      // If a field may also have other values, the index orders its bigints by their digits, which is a different order.
      return operand.type !== 'bigint' || isBigint(field.types) ? { field, as: 'range' } : null
    }
    case 'and':
    case 'or':
    case 'not':
    case 'constant':
    case 'like':
    case 'substring':
    case 'includes':
    case 'elements':
    case 'key':
    case 'keyIn':
    case 'search':
      return null
  }
}

/** Whether a plan, with the index chosen for it, reads all rows of the collection to find some of them, or to sort them. */
export function readsAll(plan: Plan, choice: IndexChoice | null): boolean {
  if (plan.type === 'related' || choice?.narrows || plan.range !== null) return false
  if (required(plan.where).some(isOfKey)) return false
  if (plan.where !== null) return true
  if (plan.type !== 'find') return false
  return plan.distinct.length > 0 || (plan.order.length > 0 && !choice?.ordered)
}

/** Like `conjuncts`, but an `or` with one condition counts as that condition. */
function required(condition: Condition | null): readonly Condition[] {
  if (condition === null) return []
  const isAll = condition.type === 'and' || (condition.type === 'or' && condition.conditions.length === 1)
  return isAll ? condition.conditions.flatMap(required) : [condition]
}

/** Whether the rows found lie in a range of keys, or have given keys, as from a search. */
function isOfKey(condition: Condition): boolean {
  if (condition.type === 'or') return isKey(condition)
  return condition.type === 'key' || condition.type === 'keyIn' || condition.type === 'search'
}

/** Whether the keys of the rows found are given one by one. */
function isKey(condition: Condition): boolean {
  switch (condition.type) {
    case 'or':
      return condition.conditions.length > 0 && condition.conditions.every(isKey)
    case 'and':
      return condition.conditions.some(isKey)
    default:
      return condition.type === 'key' && condition.operator === 'eq'
  }
}

/** Whether an index has this field in the order of its values; a plain index orders bigints by their digits. */
function sorts({ bigints = [] }: IndexDeclaration, field: Field | undefined): boolean {
  return field !== undefined && (!isBigint(field.types) || bigints.includes(field.path))
}

function isOrdered(
  index: IndexDeclaration,
  leading: number,
  order: readonly OrderTerm[],
  equal: ReadonlySet<string>,
): boolean {
  const fields = index.fields.slice(leading)
  const terms = order.filter(({ field }) => !equal.has(field.path))
  const [first] = terms
  return terms.every(
    ({ field, direction }, i) =>
      field.path === fields[i] && sorts(index, field) && direction === first!.direction,
  )
}
