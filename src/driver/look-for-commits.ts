import { StorageError } from '../contract/errors.ts'
import { clock } from '../time/clock.ts'

/** How many milliseconds between two looks: at least, right after a commit, and at most, after a long time without one. */
const shortestDelay = 2
const longestDelay = 40
/** The delay is this share of the time since the last commit. */
const patience = 0.02

/**
 * `Driver.follow` for an engine that does not report commits: it looks often while commits come, and less and less while none do,
 * so that idling costs next to nothing. `newestOfOthers` returns the newest version if another connection made it, otherwise null.
 */
export async function* lookForCommits(
  newestOfOthers: () => Promise<number | null>,
  signal: AbortSignal,
): AsyncGenerator<number | null, void> {
  using pauses = new Pauses(signal)
  let told = -1
  let foundAt = Number.NEGATIVE_INFINITY
  while (await pauses.pause(delayAfter(clock() - foundAt))) {
    let newest: number | null
    try {
      newest = await newestOfOthers()
    } catch (error) {
      // The next look meets a temporary obstacle, such as a lock, again. If a failure lasts, the readers are woken and meet it
      // themselves.
      if (error instanceof StorageError) yield null
      continue
    }
    if (newest === null || newest <= told) continue
    told = newest
    foundAt = clock()
    yield newest
  }
}

/** Milliseconds until the next look when nothing has come for this many. */
function delayAfter(idle: number): number {
  return Math.min(Math.max(idle * patience, shortestDelay), longestDelay)
}

/**
 * Pauses that end early, and for good, when the signal is aborted. Their timers do not keep the process alive. All share one
 * listener, and those of one length one timer: making them for each pause costs an idle process a quarter of what it uses.
 */
class Pauses implements Disposable {
  readonly #signal: AbortSignal
  #timer: NodeJS.Timeout | undefined
  /** How long the timer runs, in milliseconds. */
  #length = 0
  #end: (goesOn: boolean) => void = () => {}

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', this.#stop)
  }

  /** Waits for this many milliseconds; resolves to false once the signal is aborted. */
  pause(milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      this.#end = resolve
      if (this.#signal.aborted) this.#over()
      else this.#wait(milliseconds)
    })
  }

  #wait(milliseconds: number): void {
    if (this.#timer !== undefined && milliseconds === this.#length) {
      this.#timer.refresh()
      return
    }
    this.#timer = setTimeout(this.#over, milliseconds).unref()
    this.#length = milliseconds
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener('abort', this.#stop)
  }

  readonly #over = (): void => this.#end(!this.#signal.aborted)

  readonly #stop = (): void => {
    clearTimeout(this.#timer)
    this.#over()
  }
}
