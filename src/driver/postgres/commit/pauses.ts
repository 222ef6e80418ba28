import { setTimeout as delay } from 'node:timers/promises'
import { clock } from '../../../time/clock.ts'

/** How many milliseconds before a request is repeated: the first time, and at most. */
const shortest = 5
const longest = 500

/** Repeats an attempt while its error may pass, until `timeout` milliseconds after the first one. */
export async function repeated<T>(
  attempt: () => Promise<T>,
  timeout: number,
  mayPass: (error: unknown) => boolean,
): Promise<T> {
  let pauses: Pauses | undefined
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (!mayPass(error) || pauses?.areOver) throw error
    }
    pauses ??= new Pauses(timeout)
    await pauses.next()
  }
}

/** The pauses between the attempts of a request, each longer than the last, until a time is over. */
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
