/** Milliseconds after which the clocks are compared again. */
const comparedFor = 30_000

/** The clock of the server, as far as it is known here: that of this process may be another one. */
export class ServerClock {
  #ahead = 0
  #comparedAt = Number.NEGATIVE_INFINITY
  /** Within how many milliseconds it is known. */
  #error = Number.POSITIVE_INFINITY

  /** Milliseconds since the epoch. */
  now(): number {
    return Date.now() + this.#ahead
  }

  /** Tells what the server has said it is, in answer to what was sent and answered at these times of this process. */
  heard(now: number, sent: number, answered: number): void {
    const error = (answered - sent) / 2
    const isOld = answered - this.#comparedAt > comparedFor || answered < this.#comparedAt
    if (error > this.#error && !isOld) return
    this.#error = error
    this.#comparedAt = answered
    this.#ahead = Math.round(now - (sent + answered) / 2)
  }
}
