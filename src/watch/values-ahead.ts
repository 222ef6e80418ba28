import type { WatchHub } from '../broadcast/hub.ts'
import { hasExpired } from '../commit/row.ts'
import { StorageError } from '../contract/errors.ts'
import type { Driver, LoggedChange, StoredRow, WrittenVersion } from '../driver/driver.ts'
import { clock } from '../time/clock.ts'

/** A change of a commit that waits for its turn. */
export interface PendingChange {
  readonly version: number
  readonly change: LoggedChange
}

/** How many changes one request is for at most, and after how many bytes of values it ends. */
const mostAhead = 256
const bytesAhead = 64 * 1024
/** Milliseconds after which rows that were read ahead are read again, so that a slow reader gets no old ones. */
const longestAhead = 1_000

/**
 * The rows of pending changes. A reader that keeps reading gets those of many changes by one request: each time twice as many as
 * before, while they are small and the reader takes them within a second. After a commit of this process, which may overwrite
 * them, they are read again.
 */
export class ValuesAhead {
  readonly #driver: Driver
  readonly #hub: Pick<WatchHub, 'reports'>
  /** The rows of the next changes that need one, from `#next` on. */
  #rows: (StoredRow | null)[] = []
  #next = 0
  #readAt = 0
  /** The commits of this process before it was read. */
  #reports = 0
  #count = 1

  constructor(driver: Driver, hub: Pick<WatchHub, 'reports'>) {
    this.#driver = driver
    this.#hub = hub
  }

  /** The row that a change has written; null if it is no longer there. Asked once for each change that needs one, in their order. */
  async rowOf(pending: readonly PendingChange[], place: number): Promise<StoredRow | null> {
    if (this.#next < this.#rows.length) {
      const isOld = clock() - this.#readAt > longestAhead
      if (!isOld && this.#reports === this.#hub.reports) return this.#take()
      this.#count = isOld ? 1 : Math.max(1, this.#next)
    }
    await this.#read(pending, place)
    return this.#take()
  }

  #take(): StoredRow | null {
    const row = this.#rows[this.#next]!
    // It may be large.
    this.#rows[this.#next++] = null
    return row === null || hasExpired(row.expiresAt, this.#driver.now()) ? null : row
  }

  async #read(pending: readonly PendingChange[], place: number): Promise<void> {
    const wanted: WrittenVersion[] = []
    for (const { version, change } of pending.slice(place, place + this.#count)) {
      if (needsRow(change)) wanted.push({ key: change.key, version })
    }
    const { reports } = this.#hub
    const began = clock()
    try {
      this.#rows = await this.#driver.rowsOfVersions(wanted, bytesAhead)
    } catch (error) {
      // One of them cannot be read: the reader gets those before it first.
      if (wanted.length === 1 || !(error instanceof StorageError)) throw error
      this.#count = 1
      return this.#read(pending, place)
    }
    this.#next = 0
    this.#readAt = began
    this.#reports = reports
    this.#count = this.#rows.length < wanted.length ? this.#rows.length : Math.min(2 * this.#count, mostAhead)
  }
}

/** Whether the value of a change is only in its row. */
function needsRow({ type, stored }: LoggedChange): boolean {
  return type === 'set' && stored === undefined
}
