import type { IndexDeclaration } from '../catalog/catalog.ts'
import { type Field, isBigint } from '../schema/fields.ts'
import type { Condition } from './condition.ts'
import type { OrderTerm, Plan, Selection } from './plan.ts'

/** The index that a query reads. */
export interface IndexChoice {
  readonly index: IndexDeclaration
  /** The fields on which the condition has an equality: all rows that are found agree in them. */
  readonly fixed: ReadonlySet<string>
  /** Whether it leads to some of its rows: otherwise they are all read, in its order. */
  readonly narrows: boolean
  /** Whether rows come out of it in the order of the query, the key aside. */
  readonly ordered: boolean
}

/**
 * The declared index that serves a query best: the one with the most of its leading fields under equality, then with a
 * range on the next, then in the query's order. `null`: none serves it.
 * `withoutTextZeros`: paths of numbers where no row holds the text '-0', so that 0 is one value.
 *
 * It is the same for every engine. One without statistics would rather read a whole collection than a range of such an index.
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
    // The keys of a prefix, or of ids, are a range of their own, which only an exact match beats.
    if (byKey && !found) continue
    const score = leading * 8 + (found ? 4 : 0) + (bounded ? 4 : 0) + (ordered && order.length > 0 ? 3 : 0)
    if (score > bestScore) {
      bestScore = score
      best = { index, fixed: equal, narrows: leading > 0 || bounded, ordered }
    }
  }
  return best
}

/** What an index on its field may do for a condition: find one value, find some values one by one, or find a range. Null: nothing. */
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
      // Bigints among other values lie in an index by their digits, which have another order.
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

/** Whether a plan reads all rows of the collection to find some of them, or to sort them, with the index that was chosen for it. */
export function readsAll(plan: Plan, choice: IndexChoice | null): boolean {
  if (plan.type === 'related' || choice?.narrows || plan.range !== null) return false
  if (required(plan.where).some(isOfKey)) return false
  if (plan.where !== null) return true
  if (plan.type !== 'find') return false
  return plan.distinct.length > 0 || (plan.order.length > 0 && !choice?.ordered)
}

/** As `conjuncts`: an `or` of one condition is that one. */
function required(condition: Condition | null): readonly Condition[] {
  if (condition === null) return []
  const isAll = condition.type === 'and' || (condition.type === 'or' && condition.conditions.length === 1)
  return isAll ? condition.conditions.flatMap(required) : [condition]
}

/** Whether the keys of what is found lie in a range, or are given, as by a search. */
function isOfKey(condition: Condition): boolean {
  if (condition.type === 'or') return isKey(condition)
  return condition.type === 'key' || condition.type === 'keyIn' || condition.type === 'search'
}

/** Whether the keys of what is found are given one by one. */
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

/** Whether an index has the values of this field in their order: the digits of a bigint by themselves have another one. */
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
