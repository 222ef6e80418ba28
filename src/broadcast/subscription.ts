/** How many milliseconds until the clock is read again: a timer does not notice that the clock was set, or that the machine slept. */
const longestDelay = 60_000

/** Tells one reader that something may have changed, once, until the reader looks again. */
export class Subscription {
  readonly #now: () => number
  readonly #remove: (subscription: Subscription) => void
  #changed = false
  #distributed = -1
  #resolve: (() => void) | null = null

  /** `now`: milliseconds since the epoch, by the clock that decides what has expired. */
  constructor(now: () => number, remove: (subscription: Subscription) => void) {
    this.#now = now
    this.#remove = remove
  }

  /** When it first woke, every change up to this version had been reported, and none of them concerned this subscription. */
  get distributed(): number {
    return this.#distributed
  }

  /** Whether something may have changed since `arm`. */
  get isWoken(): boolean {
    return this.#changed
  }

  /** Forgets the changes so far. Call it before reading the data, so that no change is missed. */
  arm(): void {
    this.#changed = false
  }

  wake(distributed = -1): void {
    if (this.#changed) return
    this.#changed = true
    this.#distributed = distributed
    this.#resolve?.()
  }

  /**
   * Resolves when something has changed since `arm`, or at `expiry` (milliseconds since the epoch). Its timer does not keep the
   * process alive.
   */
  async changed(expiry: number | null = null): Promise<void> {
    if (this.#changed) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#resolve = resolve
    let timer: NodeJS.Timeout | undefined
    const look = (due: number) => {
      const wait = Math.min(Math.max(due - this.#now(), 1), longestDelay)
      timer = setTimeout(() => (due <= this.#now() ? resolve() : look(due)), wait).unref()
    }
    if (expiry !== null) look(expiry)
    await promise
    clearTimeout(timer)
    this.#resolve = null
  }

  /** Ends it: nothing wakes it any more. */
  end(): void {
    this.#remove(this)
  }
}
