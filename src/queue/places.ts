import type { Key } from '../contract/key.types.ts'
import type { PassedOver } from '../delivery/passed-over.ts'
import type { KeyedRow, StoredRow } from '../driver/driver.ts'
import { storeOfFace } from '../key-value/key-value.ts'
import { planFind } from '../repository/find/found-rows.ts'
import { comparedStored } from '../store/stored-row.ts'
import type { QueueRows } from './queue-rows.ts'
import type { StoredJob, StoredSchedule } from './rows.ts'
import type { QueueDatabase, QueueUnit, QueueView } from './target.ts'

/** When a job is due, and before which others: read without its payload, which this process may be unable to decode. */
export type Place = Pick<StoredJob, 'priority' | 'due'>

/** When a schedule has its next occurrence, and what its jobs wait for: read without its payload, too. */
export type SchedulePlace = Pick<StoredSchedule, 'next' | 'group'>

/** Which rows to find. */
interface PlaceQuery {
  readonly where: object
  readonly orderBy: object
}

/** The first `limit` jobs or schedules that a query finds, as they are stored. */
export function storedRows(
  rows: QueueRows,
  of: 'jobs' | 'schedules',
  target: QueueDatabase | QueueUnit | QueueView,
  query: PlaceQuery,
  limit: number,
): Promise<KeyedRow[]> {
  const store = storeOfFace(target)!
  store.assertOpen()
  const definition = rows.definitions[of === 'jobs' ? 0 : 2]
  return store.read({ type: 'find', query: planFind(store, definition, { ...query, limit }) })
}

/** The place of the first job that a query finds, null if it finds none. Damaged rows have no place. */
export function firstPlace(
  rows: QueueRows,
  target: QueueDatabase | QueueUnit | QueueView,
  query: PlaceQuery,
): Promise<Place | null> {
  return firstRead(
    (limit) => storedRows(rows, 'jobs', target, query, limit),
    (row) => placeIn(row, row.key),
  )
}

/** The place of the first schedule that a query finds and that is not passed over, null if it finds none. */
export function firstSchedule(
  rows: QueueRows,
  database: QueueDatabase,
  passedOver: PassedOver,
  query: PlaceQuery,
): Promise<SchedulePlace | null> {
  return firstRead(
    (limit) => storedRows(rows, 'schedules', database, query, limit),
    (row) => (passedOver.isPaused(row) ? null : schedulePlaceIn(row)),
  )
}

/** What the first row gives for which `read` does not return null. */
async function firstRead<T>(
  find: (limit: number) => Promise<KeyedRow[]>,
  read: (row: KeyedRow) => T | null,
): Promise<T | null> {
  for (let limit = 1; ; limit *= 2) {
    const found = await find(limit)
    for (const row of found) {
      const place = read(row)
      if (place !== null) return place
    }
    if (found.length < limit) return null
  }
}

function schedulePlaceIn(row: KeyedRow): SchedulePlace | null {
  try {
    const { next, group } = comparedStored(row, row.key) as SchedulePlace
    return typeof next === 'number' ? { next, group } : null
  } catch {
    return null
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
