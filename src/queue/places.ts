import type { Key } from '../contract/key.types.ts'
import type { KeyedRow, StoredRow } from '../driver/driver.ts'
import { storeOfFace } from '../key-value/key-value.ts'
import { planFind } from '../repository/find/found-rows.ts'
import { comparedStored } from '../store/stored-row.ts'
import type { QueueRows } from './queue-rows.ts'
import type { StoredJob } from './rows.ts'
import type { QueueDatabase, QueueUnit, QueueView } from './target.ts'

/** When a job is due, and before which others: read without its payload, which this process may be unable to decode. */
export type Place = Pick<StoredJob, 'priority' | 'due'>

/** Which jobs to find. */
interface JobQuery {
  readonly where: object
  readonly orderBy: object
}

/** The first `limit` jobs that a query finds, as they are stored. */
export function jobRows(
  rows: QueueRows,
  target: QueueDatabase | QueueUnit | QueueView,
  query: JobQuery,
  limit: number,
): Promise<KeyedRow[]> {
  const store = storeOfFace(target)!
  store.assertOpen()
  return store.read({ type: 'find', query: planFind(store, rows.definitions[0], { ...query, limit }) })
}

/** The place of the first job that a query finds, null if it finds none. Damaged rows have no place. */
export async function firstPlace(
  rows: QueueRows,
  target: QueueDatabase | QueueUnit | QueueView,
  query: JobQuery,
): Promise<Place | null> {
  for (let limit = 1; ; limit *= 2) {
    const found = await jobRows(rows, target, query, limit)
    for (const row of found) {
      const place = placeIn(row, row.key)
      if (place !== null) return place
    }
    if (found.length < limit) return null
  }
}

/** The place of a stored job; null if the row is damaged. */
export function placeIn(row: StoredRow, key: Key): Place | null {
  try {
    const { priority, due } = comparedStored(row, key) as Place
    return typeof priority === 'number' && (due === null || typeof due === 'number')
      ? { priority, due }
      : null
  } catch {
    return null
  }
}

/**
 * The priorities of the existing jobs, lowest first, each with the time when its first job is due; null if that one waits in a
 * line. Each step uses an index.
 */
export async function* firstOfPriorities(
  rows: QueueRows,
  target: QueueDatabase | QueueView,
): AsyncGenerator<Place> {
  let last = Number.MIN_SAFE_INTEGER - 1
  for (;;) {
    const next = await firstPlace(rows, target, {
      where: { priority: { gt: last } },
      // In the order of the index: by priority alone, all jobs of a priority would first be sorted by key.
      orderBy: { priority: 'asc', due: 'asc' },
    })
    if (next === null) return
    yield next
    last = next.priority
  }
}
