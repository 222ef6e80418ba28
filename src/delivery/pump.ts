import type { WatchHub } from '../broadcast/hub.ts'
import { DatabaseClosedError } from '../contract/errors.ts'
import type { KeyRange } from '../key/range.ts'

/** What has been taken to be worked on, and, where that was less than was asked for, when the next is due: ms since the epoch, null for never. */
export interface Taken<J> {
  readonly jobs: readonly J[]
  readonly nextDue: number | null
}

export interface PumpOptions<J> {
  readonly hub: WatchHub
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number
  /** A change of a key in these ranges may bring something that is due. */
  readonly ranges: readonly KeyRange[]
  /** How many are worked on at once. */
  readonly concurrency: number
  /** Takes what is due, so many at most. */
  readonly take: (most: number) => Promise<Taken<J>>
  /** Works on one, and settles it. */
  readonly work: (job: J) => Promise<void>
  /** Taking or settling has failed, and is tried again. */
  readonly onError: (error: unknown) => void
}

/** Milliseconds before a failure to take is tried again: it doubles with each that follows. */
const firstPause = 50
const longestPause = 10_000

/**
 * Takes what is due, whoever has made it so, and has it worked on. In between it sleeps: until a key changes, until the next is due, until
 * one is done. It keeps the process alive.
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

  /** Takes no more. */
  stop(): void {
    this.#stopped = true
    this.#wake()
  }

  /** Resolves once all that was taken is settled. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** Goes on until it is stopped, or the database is closed. */
  async run(): Promise<void> {
    const alive = setInterval(() => {}, 2 ** 30)
    try {
      const subscription = await this.#options.hub.watchRanges(this.#options.ranges)
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
            (error: unknown) => {
              if (error instanceof DatabaseClosedError) throw error
              this.#options.onError(error)
              return this.#options.now() + Math.min(firstPause * 2 ** failures++, longestPause)
            },
          )
          if (!this.#stopped) await subscription.changed(due)
        }
      } finally {
        this.#wake = () => {}
        subscription.end()
      }
    } catch (error) {
      if (!(error instanceof DatabaseClosedError)) throw error
    } finally {
      clearInterval(alive)
    }
  }

  /** Takes as many as there is room for; when to take again, unless something happens before. */
  async #fill(): Promise<number | null> {
    const { concurrency, take } = this.#options
    const room = concurrency - this.#running.size
    if (room <= 0) return null
    const { jobs, nextDue } = await take(room)
    for (const job of jobs) this.#start(job)
    // One that ends wakes it, and so does what comes.
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
