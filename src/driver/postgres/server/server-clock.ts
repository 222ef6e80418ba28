/** How many milliseconds until the clocks are compared again. */
const comparedFor = 30_000

/** The clock of the server, as far as it is known here; it may differ from that of this process. */
export class ServerClock {
  #ahead = 0
  #comparedAt = Number.NEGATIVE_INFINITY
  /** How many milliseconds it may be off. */
  #error = Number.POSITIVE_INFINITY

  /** Milliseconds since the epoch. */
  now(): number {
    return Date.now() + this.#ahead
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
