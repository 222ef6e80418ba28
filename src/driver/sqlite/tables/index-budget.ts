import type { Catalog, Collection } from '../../../catalog/catalog.ts'

/**
 * Indexes of a file with which a write takes about twice as long as without any. The engine opens a cursor on each of them for every
 * INSERT, UPDATE and DELETE, also on those of other collections, and looks through all open cursors for each that it opens: the time
 * grows with the square of their number.
 */
const budget = 100

let isTold = false

/** Warns once a process, where one that declares indexes opens a file with more of them than writes bear well. */
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
