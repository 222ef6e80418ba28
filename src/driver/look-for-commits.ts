import { StorageError } from '../contract/errors.ts'
import { clock } from '../time/clock.ts'

/** How many milliseconds between two looks: at least, right after a commit, and at most, after a long time without one. */
const shortestDelay = 2
const longestDelay = 40
/** The delay is this share of the time since the last commit. */
const patience = 0.02

/**
 * `Driver.follow` for an engine that does not report commits: it looks often while commits come, and less and less while none do,
 * so that idling costs next to nothing. `newestOfOthers` returns the newest version if another connection made it, or that an older
 * state was restored; otherwise null.
 */
export async function* lookForCommits(
  newestOfOthers: () => number | 'restored' | null,
  signal: AbortSignal,
): AsyncGenerator<number | null, void> {
  using looks = new Looks(newestOfOthers, signal)
  for (let found = await looks.next(); found !== undefined; found = await looks.next()) yield found
}

/** Milliseconds until the next look when nothing has come for this many. */
function delayAfter(idle: number): number {
  return Math.min(Math.max(idle * patience, shortestDelay), longestDelay)
}

/**
 * Looks until there is something to report. A look that finds nothing runs within its timer, without a promise: in an idle process
 * each step has to be fetched from memory again, and there are 25 looks a second. The timer does not keep the process alive.
 */
class Looks implements Disposable {
  readonly #newestOfOthers: () => number | 'restored' | null
  readonly #signal: AbortSignal
  #timer: NodeJS.Timeout | undefined
  /** How long the timer runs, in milliseconds. */
  #length = 0
  #told = -1
  #foundAt = Number.NEGATIVE_INFINITY
  #report: (found: number | null | undefined) => void = () => {}

  constructor(newestOfOthers: () => number | 'restored' | null, signal: AbortSignal) {
    this.#newestOfOthers = newestOfOthers
    this.#signal = signal
    signal.addEventListener('abort', this.#stop)
  }

  /** The next newer version, or null after a failure or if an older state was restored; undefined once the signal is aborted. */
  next(): Promise<number | null | undefined> {
    return new Promise((resolve) => {
      this.#report = resolve
      if (this.#signal.aborted) resolve(undefined)
      else this.#wait()
    })
  }

  #wait(): void {
    const milliseconds = delayAfter(clock() - this.#foundAt)
    if (this.#timer !== undefined && milliseconds === this.#length) {
      this.#timer.refresh()
      return
    }
    this.#timer = setTimeout(this.#look, milliseconds).unref()
    this.#length = milliseconds
  }

  readonly #look = (): void => {
    const newest = this.#newest()
    if (newest === undefined) this.#wait()
    else this.#report(newest)
  }

  #newest(): number | null | undefined {
    try {
      const newest = this.#newestOfOthers()
      if (newest === null || newest === this.#told) return undefined
      this.#foundAt = clock()
      this.#told = newest === 'restored' ? -1 : newest
      return newest === 'restored' ? null : newest
    } catch (error) {
      // The next look meets a temporary obstacle, such as a lock, again. If a failure lasts, the readers are woken and meet it
      // themselves.
      return error instanceof StorageError ? null : undefined
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#signal.removeEventListener('abort', this.#stop)
  }

  readonly #stop = (): void => {
    clearTimeout(this.#timer)
    this.#report(undefined)
  }
}
