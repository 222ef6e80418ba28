import { type Field, none } from '../schema/fields.ts'
import { type Condition, conjuncts, type SearchCondition } from './condition.ts'

/** The name of the rank of a row in an `orderBy`. */
export const rankName = '$rank'

/**
 * How well a row fits the words that are searched, as a field of it: no field of its value, which is one of names. It depends on the
 * texts of the row and on the words alone, so that a row keeps its place whatever becomes of others.
 */
export const rankField: Field = {
  path: rankName,
  names: [],
  types: { ...none, number: true },
}

export function isRank({ names }: Field): boolean {
  return names.length === 0
}

/** The one search that every row is found by; null if there is none, or several. */
export function rankedSearch(where: Condition | null): SearchCondition | null {
  const found = conjuncts(where).filter((one) => one.type === 'search')
  return found.length === 1 ? found[0]! : null
}
