import { inSlices, pauseDue } from '../time/give-way.ts'
import type { Subscription } from './subscription.ts'
import { type Waiting, WaitingReaders } from './waiting-readers.ts'

/** A state of what is watched. */
export interface WatchedState<T> {
  /** Equal only for states that show the same. */
  readonly token: string
  /** The content; null if every waiting reader already has it. */
  readonly shown: T | null
  /** When it may change without a commit, in milliseconds since the epoch. */
  readonly expiry: number | null
}

/** Something to look at repeatedly. */
export interface Watched<T> {
  /** Wakes when the state may have changed. */
  subscribe(): Promise<Subscription>
  /**
   * The current state. `isKnown`: whether every waiting reader already has the state with this token. Every change up to version
   * `told` is in the state of the last look, or does not matter for it.
   */
  look(isKnown: (token: string) => boolean, told: number): Promise<WatchedState<T>>
}

/**
 * Looks once for all waiting readers, each time something may have changed. A reader that starts waiting during a look needs
 * another look, since the current one may be older. It keeps no state, and does nothing without readers.
 */
export class SharedWatch<T> {
  readonly #watched: Watched<T>
  readonly #waiting = new WaitingReaders<T>()
  /** The readers that the current look is for. */
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

  /** Releases a reader that no longer wants to wait. */
  release(waiting: Waiting<T>): void {
    if (!this.#waiting.delete(waiting) && !this.#asking.delete(waiting)) return
    waiting.letGo()
    if (this.#waiting.isEmpty && this.#asking.isEmpty) this.#subscription?.wake()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    await this.#lookForAll()
    // Readers that just got a state wait again within microtasks, so that one look serves them all.
    await new Promise<void>((resolve) => process.nextTick(resolve))
    this.#isRunning = false
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
      for (const group of this.#waiting.take().groups) for (const waiting of group) waiting.fail(error)
    } finally {
      this.#unsubscribe()
    }
  }

  #unsubscribe(): void {
    this.#subscription?.end()
    this.#subscription = null
  }

  /** Returns when the state may change without a commit; undefined if the look has failed. */
  async #look(told: number): Promise<number | null | undefined> {
    const pause = pauseDue()
    if (pause !== undefined) await pause
    for (let first = this.#waiting.first; first && !first.isWanted; first = this.#waiting.first)
      this.release(first)
    if (this.#waiting.isEmpty) return null
    const asking = this.#waiting.take()
    this.#asking = asking
    try {
      const { token, shown, expiry } = await this.#watched.look((known) => asking.haveAll(known), told)
      const state = { token, shown: shown! }
      // Readers that already have it keep waiting.
      this.#waiting.join(asking, token)
      await this.#tellAll((waiting) => waiting.give(state))
      return expiry
    } catch (error) {
      await this.#tellAll((waiting) => waiting.fail(error))
      return undefined
    }
  }

  /** Calls all readers of the current look. */
  async #tellAll(tell: (waiting: Waiting<T>) => void): Promise<void> {
    const told = this.#asking.take()
    // Unsubscribe before any reader is called: it may wait again at once, which must start the watch again.
    if (this.#waiting.isEmpty) this.#unsubscribe()
    const pause = pauseDue()
    if (pause !== undefined) await pause
    for (const group of told.groups) {
      // There may be many readers, and each makes its own item.
      const telling = inSlices(group, (waiting) => (waiting.isWanted ? tell(waiting) : waiting.letGo()))
      if (telling instanceof Promise) await telling
    }
  }
}
