import { setTimeout as delay } from 'node:timers/promises'
import { clock } from '../../../time/clock.ts'

/** Milliseconds before a request is made again: the first time, and at most. */
const shortest = 5
const longest = 500

/** The pauses between the attempts at a request: each longer than the one before, until a time is over. */
export class Pauses {
  readonly #until: number
  #next = shortest

  /** `timeout`: milliseconds from now. */
  constructor(timeout: number) {
    this.#until = clock() + timeout
  }

  get areOver(): boolean {
    return clock() >= this.#until
  }

  async next(): Promise<void> {
    const pause = this.#next
    this.#next = Math.min(2 * pause, longest)
    await delay(pause * (0.5 + Math.random() / 2))
  }
}
