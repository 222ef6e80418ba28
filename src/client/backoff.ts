/** How many milliseconds to wait at most, before the first and before any later attempt. */
export interface RetryOptions {
  /** The longest wait after a lost connection. Default 500. */
  readonly min?: number | undefined
  /** The longest wait, however often it has failed. Default 30,000. */
  readonly max?: number | undefined
}

/**
 * How long to wait before the next attempt: a random time, so that the clients of a server do not all come at once. Its maximum
 * doubles with each failure.
 */
export class Backoff {
  readonly #min: number
  readonly #max: number
  #failures = 0
  #connected = 0

  constructor({ min = 500, max = 30_000 }: RetryOptions) {
    this.#min = min
    this.#max = max
  }

  connected(): void {
    this.#connected = Date.now()
  }

  /** The wait after a failure. A connection that lasted resets the count: its server does not fail again and again. */
  next(): number {
    if (this.#connected > 0 && Date.now() - this.#connected > this.#limit) this.#failures = 0
    this.#connected = 0
    const wait = Math.random() * this.#limit
    this.#failures++
    return wait
  }

  /** The wait after an end that the server has announced. */
  soon(): number {
    return Math.random() * this.#min
  }

  get #limit(): number {
    return Math.min(this.#max, this.#min * 2 ** this.#failures)
  }
}
