import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Driver } from '../driver/driver.ts'

/** Milliseconds for which a turn lasts at the least. */
const shortest = 50
/** The run in a turn is given this multiple of the time that the longest run before it has taken, and twice as much each time. */
const patience = 4
/** Milliseconds between two looks whether a turn has come. */
const longestDelay = 4

/**
 * The turn of somebody whose commits have failed several times because of others: while it lasts, these wait, in every process.
 * It ends with the commit, or after a time that is in proportion to the work.
 */
export class Turn {
  readonly id = randomUUID()
  readonly #driver: Driver
  #hold: number
  #asked = false

  /** `longestRun`: the time that the work has taken at the most so far, in milliseconds. */
  constructor(driver: Driver, longestRun: number) {
    this.#driver = driver
    this.#hold = Math.max(shortest, patience * longestRun)
  }

  /** Resolves when the turn has come; after a run in it that failed, it begins anew, for longer. */
  async come(signal: AbortSignal | undefined): Promise<void> {
    this.#asked = true
    const hold = this.#hold
    this.#hold *= 2
    while (!(await this.#driver.takeTurn(this.id, hold))) {
      await delay(1 + Math.random() * longestDelay)
      signal?.throwIfAborted()
    }
  }

  /** Ends it where it has not ended by a commit. */
  async end(): Promise<void> {
    if (this.#asked) await this.#driver.endTurn(this.id)
  }
}
