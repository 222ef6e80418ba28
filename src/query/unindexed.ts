import { QueryError } from '../contract/errors.ts'
import type { Plan } from './plan.ts'

/** What to do with a query that reads a whole collection because no index serves it. */
export type OnUnindexed = 'ignore' | 'warn' | 'error'

/** Reports such a query, once for each shape. `text`: as its engine runs it. Throws a QueryError if `onUnindexed` is `'error'`. */
export function tellUnindexed({ collection }: Plan, text: string, onUnindexed: OnUnindexed): void {
  const message = `A query reads all of '${collection}', because no index serves it: declare one, or narrow the query with a prefix. ${text}`
  if (onUnindexed === 'error') throw new QueryError(message)
  if (onUnindexed === 'warn') process.emitWarning(message, 'UnindexedQueryWarning')
}
