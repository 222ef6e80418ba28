import type { Driver } from '../driver/driver.ts'
import { StorageError } from '../errors.ts'

/** Milliseconds between two looks: right after a commit was found, and when none was for long or at all. */
const shortestDelay = 2
const longestDelay = 40
/** The delay is this share of the time for which nothing has come. */
const patience = 0.02

/**
 * Looks for commits of other connections, often while they come and ever less often while none does, so that an idle
 * look-out costs next to nothing. Its timer does not keep the process alive.
 */
export class ForeignCommits {
  readonly #driver: Driver
  readonly #isNeeded: () => boolean
  readonly #known: () => number
  readonly #found: () => Promise<void>
  #lastFound = Number.NEGATIVE_INFINITY
  #running = false

  /**
   * `found` is called where there is a commit of a later version than `known`; when `isNeeded` turns false, the look-out ends
   * by itself.
   */
  constructor(driver: Driver, isNeeded: () => boolean, known: () => number, found: () => Promise<void>) {
    this.#driver = driver
    this.#isNeeded = isNeeded
    this.#known = known
    this.#found = found
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.#schedule()
  }

  #schedule(): void {
    const idle = performance.now() - this.#lastFound
    const delay = Math.min(Math.max(idle * patience, shortestDelay), longestDelay)
    setTimeout(this.#look, delay).unref()
  }

  readonly #look = async (): Promise<void> => {
    if (!this.#isNeeded()) {
      this.#running = false
      return
    }
    try {
      if ((await this.#driver.latestVersion()) > this.#known()) {
        await this.#found()
        this.#lastFound = performance.now()
      }
    } catch (error) {
      // What stands in the way, as a lock, is met again by the next look. A lasting failure the readers meet, who are woken for it.
      if (error instanceof StorageError) await this.#found().catch(() => {})
    }
    this.#schedule()
  }
}
