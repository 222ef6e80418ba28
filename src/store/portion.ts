/** Milliseconds that the writes of one transaction are to take at most. */
const longest = 8
const firstRows = 1_000
const fewestRows = 64
const mostRows = 16_384

/** How many rows to write in one transaction, so that the event loop goes on in between: told by how long earlier ones took. */
export class Portion {
  #rows = firstRows

  get rows(): number {
    return this.#rows
  }

  /** Tells that writing so many rows has taken so many milliseconds. */
  took(rows: number, milliseconds: number): void {
    // What few rows take tells nothing of many.
    if (milliseconds < longest && rows < this.#rows / 2) return
    const fitting = (rows * longest) / milliseconds
    const near = Math.min(Math.max(fitting, this.#rows / 2), this.#rows * 2)
    this.#rows = Math.trunc(Math.min(Math.max(near, fewestRows), mostRows))
  }
}
