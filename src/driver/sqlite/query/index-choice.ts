import type { IndexDeclaration } from '../../../catalog/catalog.ts'
import { conjuncts } from '../../../query/condition.ts'
import type { OrderTerm, Selection } from '../../../query/plan.ts'

/** The index that a query reads. */
export interface IndexChoice {
  readonly index: IndexDeclaration
  /** The fields on which the condition has an equality: all rows that are found agree in them. */
  readonly fixed: ReadonlySet<string>
  /** Whether rows come out of it in the order of the query, the key aside. */
  readonly ordered: boolean
}

/**
 * The declared index that serves a query best: the one with the most of its leading fields under equality, then with a
 * range on the next, then in the query's order. `null`: none serves it.
 *
 * SQLite without statistics would rather read a whole collection by its name than a range of such an index.
 */
export function chooseIndex(
  { where, range }: Pick<Selection, 'where' | 'range'>,
  order: readonly OrderTerm[],
  indexes: readonly IndexDeclaration[],
): IndexChoice | null {
  const equal = new Set<string>()
  const listed = new Set<string>()
  const ranged = new Set<string>()
  for (const condition of conjuncts(where)) {
    if (condition.type === 'boolean') equal.add(condition.field.path)
    else if (condition.type === 'compare')
      (condition.operator === 'eq' ? equal : ranged).add(condition.field.path)
    else if (condition.type === 'in') listed.add(condition.field.path)
    else if (condition.type === 'null') listed.add(condition.field.path)
  }
  let best: IndexChoice | null = null
  let bestScore = 0
  for (const index of indexes) {
    let leading = 0
    while (leading < index.fields.length && equal.has(index.fields[leading]!)) leading++
    const next = index.fields[leading]
    const bounded = next !== undefined && (ranged.has(next) || listed.has(next))
    const ordered = isOrdered(index.fields.slice(leading), order, equal)
    const found = leading === index.fields.length && index.unique
    // The keys of a prefix are a range of their own, which only an exact match beats.
    if (range !== null && !found) continue
    const score = leading * 8 + (found ? 4 : 0) + (bounded ? 4 : 0) + (ordered && order.length > 0 ? 3 : 0)
    if (score > bestScore) {
      bestScore = score
      best = { index, fixed: equal, ordered }
    }
  }
  return best
}

function isOrdered(
  fields: readonly string[],
  order: readonly OrderTerm[],
  equal: ReadonlySet<string>,
): boolean {
  const terms = order.filter(({ field }) => !equal.has(field.path))
  const [first] = terms
  return terms.every(({ field, direction }, i) => field.path === fields[i] && direction === first!.direction)
}
