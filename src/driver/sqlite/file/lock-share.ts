/** Commits of which none begins later than so many milliseconds after the last one are of one stretch. */
const longestGap = 1
/** Milliseconds for which others may write for each one of a stretch, and at most. */
const patiencePerMillisecond = 50
const longestPatience = 100
/** The share of the busyTimeout in which others may write: the rest is for attempts. */
const patiencePerTimeout = 0.5

/** Whether an attempt is due after so many milliseconds of waiting. */
export type IsDue = (waited: number) => boolean

/**
 * How this process has used the write lock of late. To pass the lock to another process costs as much as several commits, for each
 * reads again what the others have changed. So who finds the lock taken after many commits in a row lets others do as many: while these
 * keep it busy, for a bounded time. Who writes now and then tries again at once.
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

  /** When to try again for a lock that was found taken at `now`. `latest` gives the newest version. */
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
      // Below half of what this process does when it has the lock for itself, there are gaps to write in.
      return pace < ownPace / 2
    }
  }
}
