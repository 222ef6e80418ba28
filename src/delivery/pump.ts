import type { WatchHub } from '../broadcast/hub.ts'
import type { Subscription } from '../broadcast/subscription.ts'
import { DatabaseClosedError } from '../contract/errors.ts'
import type { KeyRange } from '../key/range.ts'

/** What was taken; and, if that was less than asked for, when the next is due: ms since the epoch, null for never. */
export interface Taken<J> {
  readonly jobs: readonly J[]
  readonly nextDue: number | null
}

export interface PumpOptions<J> {
  readonly hub: WatchHub
  /** The current time, in milliseconds since the epoch. */
  readonly now: () => number
  /** A change in these ranges may make something due. */
  readonly ranges: readonly KeyRange[]
  /** How many to work on at once. */
  readonly concurrency: number
  /** Takes up to `most` of what is due. */
  readonly take: (most: number) => Promise<Taken<J>>
  /** Works on one, and settles it. */
  readonly work: (job: J) => Promise<void>
  /** Called if taking or settling has failed; it is tried again. */
  readonly onError: (error: unknown) => void
}

/** How many milliseconds to wait after a failure; doubles with each further failure. */
const firstPause = 50
const longestPause = 10_000

/**
 * Takes what is due and works on it. In between it sleeps until a key changes, until the next is due, or until one is done. It
 * keeps the process alive.
 */
export class Pump<J> {
  readonly #options: PumpOptions<J>
  readonly #running = new Set<Promise<void>>()
  #stopped = false
  #wake: () => void = () => {}

  constructor(options: PumpOptions<J>) {
    this.#options = options
  }

  get running(): number {
    return this.#running.size
  }

  /** Stops taking. */
  stop(): void {
    this.#stopped = true
    this.#wake()
  }

  /** Resolves once everything that was taken is settled. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** Runs until it is stopped, or until the database is closed. */
  async run(): Promise<void> {
    const alive = setInterval(() => {}, 2 ** 30)
    try {
      const subscription = await this.#subscribe()
      if (subscription !== null) await this.#fillUntilStopped(subscription)
    } catch (error) {
      if (!(error instanceof DatabaseClosedError)) throw error
    } finally {
      clearInterval(alive)
    }
  }

  /** Tries until it succeeds; null if it was stopped before. */
  async #subscribe(): Promise<Subscription | null> {
    const { hub, ranges } = this.#options
    for (let failures = 0; !this.#stopped; failures++) {
      try {
        return await hub.watchRanges(ranges)
      } catch (error) {
        await this.#pause(this.#pauseAfter(error, failures))
      }
    }
    return null
  }

  async #fillUntilStopped(subscription: Subscription): Promise<void> {
    this.#wake = () => subscription.wake()
    try {
      let failures = 0
      while (!this.#stopped) {
        subscription.arm()
        const due = await this.#fill().then(
          (due) => {
            failures = 0
            return due
          },
          (error: unknown) => this.#options.now() + this.#pauseAfter(error, failures++),
        )
        if (!this.#stopped) await subscription.changed(due)
      }
    } finally {
      this.#wake = () => {}
      subscription.end()
    }
  }

  /** Reports a failure, unless the database was closed, which is thrown. Returns how many milliseconds to wait after it. */
  #pauseAfter(error: unknown, failures: number): number {
    if (error instanceof DatabaseClosedError) throw error
    this.#options.onError(error)
    return Math.min(firstPause * 2 ** failures, longestPause)
  }

  /** Waits, unless it is stopped. */
  async #pause(milliseconds: number): Promise<void> {
    if (this.#stopped) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, milliseconds)
    this.#wake = resolve
    await promise
    clearTimeout(timer)
  }

  /** Takes as many as there is room for. Returns when to take again, unless something happens before. */
  async #fill(): Promise<number | null> {
    const { concurrency, take } = this.#options
    const room = concurrency - this.#running.size
    if (room <= 0) return null
    const { jobs, nextDue } = await take(room)
    for (const job of jobs) this.#start(job)
    // At full capacity, the end of a job wakes it; so does a change.
    return jobs.length === room ? null : nextDue
  }

  #start(job: J): void {
    const working = this.#options
      .work(job)
      .catch((error: unknown) => {
        if (!(error instanceof DatabaseClosedError)) this.#options.onError(error)
      })
      .finally(() => {
        this.#running.delete(working)
        this.#wake()
      })
    this.#running.add(working)
  }
}
