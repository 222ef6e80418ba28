import { decodeKey } from '../../../key/codec.ts'
import { decodeKeyText } from '../../../key/decode-text.ts'
import { isWorkLong } from '../../../time/give-way.ts'
import type { KeyedRow } from '../../driver.ts'
import { type KeyedColumns, type ToRow, toKeyedRow } from './keyed-rows.ts'
import { unsealedColumns } from './sealed-statement.ts'

/** How many rows, and bytes of values, to read before checking whether a pause is due. */
export const rowsPerLook = 32
const bytesPerLook = 65_536

/** The rows of a statement, from the beginning, with keys as text or as bytes. */
export interface Rows {
  begin(form: 'text'): IterableIterator<KeyedColumns<string>>
  begin(form: 'bytes'): IterableIterator<KeyedColumns<Uint8Array>>
}

/** Rows that are read in slices, with pauses in between. */
export interface Slices<Row = unknown> {
  readonly rows: Row[]
  /** Reads until a pause is due; returns whether all rows are read. */
  read(): boolean
  /** Ends the reading, even in the middle. */
  stop(): void
}

/** The rows of one statement. KeyedRows explains its two forms. */
export class RowSlices implements Slices<KeyedRow> {
  readonly rows: KeyedRow[] = []
  /** How many milliseconds reading them took. */
  took = 0
  readonly #source: Rows
  readonly #checksums: boolean
  readonly #toRow: ToRow
  #withText: Iterator<KeyedColumns<string>> | null
  #withBytes: Iterator<KeyedColumns<Uint8Array>> | null = null

  /** `checksums`: whether values have them. */
  constructor(source: Rows, checksums: boolean, toRow: ToRow = toKeyedRow) {
    this.#toRow = toRow
    this.#source = source
    this.#checksums = checksums
    this.#withText = source.begin('text')
  }

  read(): boolean {
    const started = performance.now()
    const isAll = this.#read()
    this.took += performance.now() - started
    return isAll
  }

  #read(): boolean {
    let bytes = 0
    for (let rows = 1; ; rows++) {
      const row = this.#withText === null ? this.#nextOfBytes() : this.#nextOfText()
      if (row === null) return true
      this.rows.push(row)
      bytes += row.value?.length || 0
      if (rows < rowsPerLook && bytes < bytesPerLook) continue
      if (isWorkLong()) return false
      rows = 0
      bytes = 0
    }
  }

  stop(): void {
    this.#withText?.return?.()
    this.#withBytes?.return?.()
  }

  #nextOfText(): KeyedRow | null {
    const next = this.#withText!.next()
    if (next.done) return null
    const columns = this.#checksums ? unsealedColumns(next.value) : next.value
    const key = decodeKeyText(columns[5])
    if (key !== null) return this.#toRow(columns, key)
    // This key cannot be read from its text: the rest is read with bytes, starting at this row.
    this.stop()
    this.#withText = null
    this.#withBytes = this.#source.begin('bytes')
    for (let skipped = 0; skipped < this.rows.length; skipped++) this.#withBytes.next()
    return this.#nextOfBytes()
  }

  #nextOfBytes(): KeyedRow | null {
    const next = this.#withBytes!.next()
    if (next.done) return null
    const columns = this.#checksums ? unsealedColumns(next.value) : next.value
    return this.#toRow(columns, decodeKey(columns[5]))
  }
}
