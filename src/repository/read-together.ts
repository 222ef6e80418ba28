import { ConflictError } from '../errors.ts'
import { toConflict } from '../store/atomic-operation.ts'
import { backOff } from '../store/backoff.ts'
import type { RowStore } from '../store/row-store.ts'
import { Store } from '../store/store.ts'
import { UnitStore } from '../unit-of-work/unit-store.ts'

const mostAttempts = 100

/**
 * What several statements read, all of one state of the database. They run one after the other, and belong together where
 * nothing was committed in between; else they are read anew as a unit of work would, by a snapshot that is validated.
 */
export async function readTogether<T>(store: RowStore, read: (store: RowStore) => Promise<T>): Promise<T> {
  if (!(store instanceof Store)) return read(store)
  const before = await stateOf(store)
  const result = await read(store)
  if ((await stateOf(store)) === before) return result
  for (let attempt = 1; ; attempt++) {
    const unit = new UnitStore(store, store.driver)
    try {
      return await read(unit)
    } catch (error) {
      if (unit.conflictSignal === null) throw error
      if (attempt === mostAttempts)
        throw new ConflictError(unit.conflictSignal.conflicts.map(toConflict), attempt)
    } finally {
      unit.end()
    }
    await backOff(attempt)
  }
}

/** Another number after each commit, of this process or of another. */
async function stateOf(store: Store): Promise<string> {
  return `${await store.driver.foreignCommits()} ${store.commits}`
}
