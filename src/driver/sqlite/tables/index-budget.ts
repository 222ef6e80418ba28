import type { Catalog, Collection } from '../../../catalog/catalog.ts'

/**
 * With this many indexes in a file, a write takes about twice as long as without any. For every INSERT, UPDATE and DELETE the
 * engine opens a cursor on each index, even of other collections, and compares it with all open ones: the time grows with the
 * square of their number.
 */
const budget = 100

let isTold = false

/** Warns once a process when an opener that declares indexes opens a file with too many of them. */
export function tellOfManyIndexes(declared: readonly Collection[], { collections }: Catalog): void {
  if (isTold || !declared.some(({ indexes }) => indexes.length > 0)) return
  const count = collections.flatMap(({ indexes }) => indexes.filter(({ built }) => built)).length
  if (count <= budget) return
  isTold = true
  process.emitWarning(
    `The database has ${count} indexes, and every write pays for all of them: keep to ${budget} per file, with several files or fewer indexes`,
    { type: 'ManyIndexesWarning', code: 'MANY_INDEXES', detail: JSON.stringify({ count, budget }) },
  )
}
