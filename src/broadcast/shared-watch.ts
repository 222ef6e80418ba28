import type { Subscription } from './subscription.ts'

/** A state of what is watched. */
export interface WatchedState<T> {
  /** The same for two states only where they show the same. */
  readonly token: string
  /** What it shows; null if all who wait for it have been given it. */
  readonly shown: T | null
  /** When it may change by itself, in milliseconds since the epoch. */
  readonly expiry: number | null
}

/** Something that can be looked at again and again. */
export interface Watched<T> {
  /** What wakes when the state may have changed. */
  subscribe(): Promise<Subscription>
  /**
   * The state now. `isKnown`: whether all who wait have been given the state of a token. Every change up to version `told` is in the
   * state of the last look, or does not concern it.
   */
  look(isKnown: (token: string) => boolean, told: number): Promise<WatchedState<T>>
}

/** A state that somebody is given. */
export interface SharedState<T> {
  readonly token: string
  readonly shown: T
}

/** A reader who waits for another state than the one that it was given last. It is told one thing. */
export interface Waiting<T> {
  /** The token of what it was given last. */
  readonly given: string | null
  /** Whether it still waits. */
  readonly isWanted: boolean
  give(state: SharedState<T>): void
  fail(error: unknown): void
  /** It is told nothing: it does not want to wait any more. */
  letGo(): void
}

/**
 * Looks once for all who wait, each time that something may have changed. Who begins to wait while it looks is not given what that
 * look finds, which may be older, but has it look once more. It keeps no state, and while nobody waits it does nothing.
 */
export class SharedWatch<T> {
  readonly #watched: Watched<T>
  readonly #waiting = new Set<Waiting<T>>()
  #subscription: Subscription | null = null
  #isRunning = false

  constructor(watched: Watched<T>) {
    this.#watched = watched
  }

  wait(waiting: Waiting<T>): void {
    this.#waiting.add(waiting)
    if (this.#isRunning) this.#subscription?.wake()
    else void this.#run()
  }

  /** Lets go of a reader that does not want to wait any more. */
  release(waiting: Waiting<T>): void {
    if (!this.#waiting.delete(waiting)) return
    waiting.letGo()
    if (this.#waiting.size === 0) this.#subscription?.wake()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    await this.#lookForAll()
    this.#isRunning = false
    // Who came when all others had just been told.
    if (this.#waiting.size > 0) void this.#run()
  }

  async #lookForAll(): Promise<void> {
    try {
      const subscription = await this.#watched.subscribe()
      this.#subscription = subscription
      let told = -1
      while (this.#subscription === subscription && this.#waiting.size > 0) {
        subscription.arm()
        const expiry = await this.#look(told)
        told = -1
        if (expiry === undefined || this.#subscription !== subscription || this.#waiting.size === 0) continue
        await subscription.changed(expiry)
        told = subscription.distributed
      }
    } catch (error) {
      const failed = [...this.#waiting]
      this.#waiting.clear()
      for (const waiting of failed) waiting.fail(error)
    } finally {
      this.#unsubscribe()
    }
  }

  #unsubscribe(): void {
    this.#subscription?.end()
    this.#subscription = null
  }

  /** Gives when the state may change by itself; undefined if the look has failed. */
  async #look(told: number): Promise<number | null | undefined> {
    for (const waiting of this.#waiting) if (!waiting.isWanted) this.release(waiting)
    const asking = [...this.#waiting]
    if (asking.length === 0) return null
    const isKnown = (token: string) => asking.every(({ given }) => given === token)
    try {
      const { token, shown, expiry } = await this.#watched.look(isKnown, told)
      const others = asking.filter(({ given }) => given !== token)
      const state = { token, shown: shown! }
      this.#settle(others, (waiting) => waiting.give(state))
      return expiry
    } catch (error) {
      this.#settle(asking, (waiting) => waiting.fail(error))
      return undefined
    }
  }

  #settle(asking: readonly Waiting<T>[], tell: (waiting: Waiting<T>) => void): void {
    const told = asking.filter((waiting) => this.#waiting.delete(waiting))
    // Whoever is told finds nothing left of a watch that nobody else waits for; who waits again at once begins it again.
    if (this.#waiting.size === 0) this.#unsubscribe()
    for (const waiting of told) {
      if (waiting.isWanted) tell(waiting)
      else waiting.letGo()
    }
  }
}
