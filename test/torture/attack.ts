/** What an attack is given. */
export interface Trials {
  /** Numbers in [0, 1), the same ones for the same seed. */
  readonly random: () => number
  /** An empty folder. */
  readonly folder: string
  /** Whether there is time for another trial. To be asked before each. */
  another(): boolean
}

/** What an attack has counted, by names that say of what: `{ commits: 1_204 }`. */
export type Counted = Readonly<Record<string, number>>

/**
 * Something that a file, a process or a machine does to a store, and what the store promises all the same. It is tried once in
 * the tests, as often as a few seconds allow, and by `npm run torture` for as long as one likes.
 */
export interface Attack {
  readonly name: string
  /** The sentence that is true after every trial. */
  readonly promise: string
  /** Why this machine cannot run it. */
  obstacle?(): string | undefined | Promise<string | undefined>
  /** Tries, and throws where the promise is broken. */
  run(trials: Trials): Promise<Counted>
}

/** How many trials a time allows, as they come: at least `least`, and no further one that would end after `milliseconds`. */
export class TrialBudget {
  readonly #milliseconds: number
  readonly #least: number
  readonly #start = performance.now()
  #begun = 0

  constructor(milliseconds: number, least = 1) {
    this.#milliseconds = milliseconds
    this.#least = least
  }

  readonly another = (): boolean => {
    const passed = performance.now() - this.#start
    const each = this.#begun === 0 ? 0 : passed / this.#begun
    if (this.#begun >= this.#least && passed + each > this.#milliseconds) return false
    this.#begun += 1
    return true
  }

  /** `24 trials of 812 ms`. */
  toString(): string {
    const each = (performance.now() - this.#start) / Math.max(1, this.#begun)
    return `${this.#begun} trials of ${each.toFixed(0)} ms`
  }
}
