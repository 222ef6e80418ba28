import type { RowStore } from '../store/row-store.ts'
import { Store } from '../store/store.ts'

/** The open database behind a face. Throws a TypeError for a unit of work or a snapshot: what it sees does not change. */
export function liveStore(store: RowStore, call: string): Store {
  if (store instanceof Store) return store
  throw new TypeError(
    `A unit of work or a snapshot reads one state, in which nothing changes: call ${call} on the database instead`,
  )
}
