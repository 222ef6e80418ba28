import { MigrationError } from '../contract/errors.ts'
import { type Field, none } from '../schema/fields.ts'
import { type Condition, conjuncts, type SearchCondition } from './condition.ts'
import type { RankedSearch } from './plan.ts'

/** The name of the rank of a row in an `orderBy`. */
export const rankName = '$rank'

/**
 * How well a row fits the searched words, as a field for ordering. It has no names, because it is not in the value. It depends only on the
 * texts of the row and on the words, so a row keeps its place whatever happens to others.
 */
export const rankField: Field = {
  path: rankName,
  names: [],
  types: { ...none, number: true },
}

export function isRank({ names }: Field): boolean {
  return names.length === 0
}

/** The one search that finds every row; null if there is none, or if there are several. */
export function rankedSearch(where: Condition | null): SearchCondition | null {
  const found = conjuncts(where).filter((one) => one.type === 'search')
  return found.length === 1 ? found[0]! : null
}

/** The conditions of a plan without the search that its rows come from. */
export function besides(where: Condition | null, { condition }: RankedSearch): Condition | null {
  const conditions = conjuncts(where).filter((one) => one !== condition)
  return conditions.length === 0 ? null : { type: 'and', conditions }
}

/** Others have taken the index of a search away. */
export function goneSearch({ collection, search }: SearchCondition, cause: unknown): MigrationError {
  return new MigrationError(
    `The search of '${collection}' on ${search.fields.join(' and ')} is gone: open the database again to rebuild it`,
    { cause, repository: collection },
  )
}
