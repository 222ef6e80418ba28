import { pauseDue } from '../time/give-way.ts'
import type { Subscription } from './subscription.ts'
import { type Waiting, WaitingReaders } from './waiting-readers.ts'

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

/**
 * Looks once for all who wait, each time that something may have changed. Who begins to wait while it looks is not given what that
 * look finds, which may be older, but has it look once more. It keeps no state, and while nobody waits it does nothing.
 */
export class SharedWatch<T> {
  readonly #watched: Watched<T>
  readonly #waiting = new WaitingReaders<T>()
  /** Those whom the look that is under way is for. */
  #asking = new WaitingReaders<T>()
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
    if (!this.#waiting.delete(waiting) && !this.#asking.delete(waiting)) return
    waiting.letGo()
    if (this.#waiting.isEmpty && this.#asking.isEmpty) this.#subscription?.wake()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    // All who were told wait again in microtasks: one look is for all of them.
    await new Promise<void>((resolve) => process.nextTick(resolve))
    await this.#lookForAll()
    this.#isRunning = false
    // Who came when all others had just been told.
    if (!this.#waiting.isEmpty) void this.#run()
  }

  async #lookForAll(): Promise<void> {
    try {
      const subscription = await this.#watched.subscribe()
      this.#subscription = subscription
      let told = -1
      while (this.#subscription === subscription && !this.#waiting.isEmpty) {
        subscription.arm()
        const expiry = await this.#look(told)
        told = -1
        if (expiry === undefined || this.#subscription !== subscription || this.#waiting.isEmpty) continue
        await subscription.changed(expiry)
        told = subscription.distributed
      }
    } catch (error) {
      for (const waiting of this.#waiting.take()) waiting.fail(error)
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
    for (let first = this.#waiting.first; first && !first.isWanted; first = this.#waiting.first)
      this.release(first)
    if (this.#waiting.isEmpty) return null
    const asking = this.#waiting.take()
    this.#asking = asking
    try {
      const { token, shown, expiry } = await this.#watched.look((known) => asking.haveAll(known), told)
      const state = { token, shown: shown! }
      // Who has it waits for the next look.
      this.#waiting.join(asking, token)
      await this.#tellAll((waiting) => waiting.give(state))
      return expiry
    } catch (error) {
      await this.#tellAll((waiting) => waiting.fail(error))
      return undefined
    }
  }

  /** Tells those whom the look was for. */
  async #tellAll(tell: (waiting: Waiting<T>) => void): Promise<void> {
    const told = this.#asking.take()
    // Whoever is told finds nothing left of a watch that nobody else waits for; who waits again at once begins it again.
    if (this.#waiting.isEmpty) this.#unsubscribe()
    for (const waiting of told) {
      // There may be many, each of which makes its own item.
      const pause = pauseDue()
      if (pause !== undefined) await pause
      if (waiting.isWanted) tell(waiting)
      else waiting.letGo()
    }
  }
}
