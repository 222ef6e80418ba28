import { pauseDue } from '../../give-way.ts'
import type { KeyedRow } from '../driver.ts'

/** Rows, and bytes of values, between two looks whether a pause is due. */
const rowsPerLook = 64
const bytesPerLook = 16_384

/** Rows that are read in slices, with pauses between them. */
export class RowSlices {
  readonly rows: KeyedRow[] = []
  readonly #each: Generator<KeyedRow, void>

  constructor(each: Generator<KeyedRow, void>) {
    this.#each = each
  }

  /** Reads until a pause is due; whether all are read. */
  read(): boolean {
    let rows = 0
    let bytes = 0
    for (;;) {
      const next = this.#each.next()
      if (next.done) return true
      this.rows.push(next.value)
      rows += 1
      bytes += next.value.value?.length || 0
      if (rows < rowsPerLook && bytes < bytesPerLook) continue
      rows = 0
      bytes = 0
      if (pauseDue() !== undefined) return false
    }
  }

  /** Ends the reading, also where it is not at its end. */
  stop(): void {
    this.#each.return()
  }
}
