/** How many milliseconds until the clocks are compared again. */
const comparedFor = 30_000
/** A step back of fewer milliseconds is waited out; a longer one is somebody who has set a clock. */
const mostHeld = 1_000

/**
 * The clock of the server, as far as it is known here; it may differ from that of this process. It stands still where a better
 * comparison would set it back, so that what this process writes at two times has them in that order.
 */
export class ServerClock {
  #ahead = 0
  #comparedAt = Number.NEGATIVE_INFINITY
  /** How many milliseconds it may be off. */
  #error = Number.POSITIVE_INFINITY
  #last = Number.NEGATIVE_INFINITY

  /** Milliseconds since the epoch. */
  now(): number {
    const now = Date.now() + this.#ahead
    if (now > this.#last || now <= this.#last - mostHeld) this.#last = now
    return this.#last
  }

  /** Notes the time that the server reported, in an answer to a request sent and answered at these times of this process. */
  heard(now: number, sent: number, answered: number): void {
    const error = (answered - sent) / 2
    const isOld = answered - this.#comparedAt > comparedFor || answered < this.#comparedAt
    if (error > this.#error && !isOld) return
    this.#error = error
    this.#comparedAt = answered
    this.#ahead = Math.round(now - (sent + answered) / 2)
  }
}
