/** The most milliseconds that the writes of one transaction should take. */
const longest = 8
const firstRows = 256
const fewestRows = 64
const mostRows = 16_384

/** How many rows to write in one transaction, so that the event loop can continue in between; learned from earlier ones. */
export class Portion {
  #rows = firstRows

  get rows(): number {
    return this.#rows
  }

  /** Notes how many milliseconds writing this many rows took. */
  took(rows: number, milliseconds: number): void {
    // A few rows say nothing about many.
    if (milliseconds < longest && rows < this.#rows / 2) return
    const fitting = (rows * longest) / milliseconds
    const near = Math.min(Math.max(fitting, this.#rows / 2), this.#rows * 2)
    this.#rows = Math.trunc(Math.min(Math.max(near, fewestRows), mostRows))
  }
}
