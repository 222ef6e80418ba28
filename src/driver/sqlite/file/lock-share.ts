/** How many milliseconds may lie between two commits of one stretch. */
const longestGap = 1
/** For how many milliseconds others may write for each one of a stretch, and at most. */
const patiencePerMillisecond = 50
const longestPatience = 100
/** The share of the busyTimeout in which others may write; the rest is for attempts. */
const patiencePerTimeout = 0.5

/** Whether an attempt is due after waiting this many milliseconds. */
export type IsDue = (waited: number) => boolean

/**
 * How this process has used the write lock lately. Handing the lock to another process costs as much as several commits, because
 * each must read what the others have changed. So after many commits in a row, a process that finds the lock taken lets others make
 * as many, as long as they keep it busy, for a bounded time. A process that writes now and then tries again at once.
 */
export class LockShare {
  #began = 0
  #ended = Number.NEGATIVE_INFINITY
  #writes = 0

  /** Reports writes that were committed between these times, in milliseconds. */
  used(began: number, ended: number, writes: number): void {
    if (began - this.#ended > longestGap) {
      this.#began = began
      this.#writes = 0
    }
    this.#writes += writes
    this.#ended = ended
  }

  /** When to retry after the lock was taken at `now`. `latest` returns the newest version. */
  due(now: number, busyTimeout: number, latest: () => number): IsDue {
    const stretch = now - this.#ended > longestGap ? 0 : this.#ended - this.#began
    const patience = Math.min(
      longestPatience,
      patiencePerMillisecond * stretch,
      patiencePerTimeout * busyTimeout,
    )
    const ownPace = this.#writes / stretch
    let seen: { readonly version: number; readonly at: number } | undefined
    return (waited) => {
      if (waited >= patience) return true
      const before = seen
      seen = { version: latest(), at: waited }
      if (before === undefined) return false
      const pace = (seen.version - before.version) / (seen.at - before.at)
      // Below half the pace of this process when it has the lock alone, there are gaps to write in.
      return pace < ownPace / 2
    }
  }
}
