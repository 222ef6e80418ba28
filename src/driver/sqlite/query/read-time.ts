/** Rows that take this many milliseconds are read without a pause. */
const shortRead = 10
/** A query that takes fewer milliseconds may hold a lock meanwhile. */
const fastRead = 0.5
/** No row takes less. */
const fastestRow = 1e-4
/** By which factor the estimate for a row may grow at most. */
const slower = 1.25

/** How long a query has taken so far, in milliseconds: for a row, and for all rows the last time. */
export class ReadTime {
  #last = Number.POSITIVE_INFINITY
  #perRow: number | null = null
  #took = 0

  /** One read may be slow because the machine was busy; several in a row mean something. */
  learn(rows: number, took: number): void {
    this.#last = took
    // A coarse clock, or one that stands still in a test, says that it took no time.
    const perRow = Math.max(took / Math.max(rows, 1), fastestRow)
    this.#perRow = this.#perRow === null ? perRow : Math.min(perRow, this.#perRow * slower)
    this.#took = this.#perRow * rows
  }

  /** Whether it was so short the last time that it may hold the lock of a commit. */
  get isFast(): boolean {
    return this.#last < fastRead
  }

  /** How many rows can be read at once, and at least `few`; 0 if that is unknown, or if it took too long the last time. */
  rowsWithoutPause(few: number): number {
    if (this.#perRow === null || this.#took > shortRead) return 0
    return Math.max(few, Math.floor(shortRead / this.#perRow))
  }
}
