import { decodeKey } from '../../../key/codec.ts'
import { decodeKeyText } from '../../../key/decode-text.ts'
import { isWorkLong } from '../../../time/give-way.ts'
import type { KeyedRow } from '../../driver.ts'
import { type KeyedColumns, type ToRow, toKeyedRow } from './keyed-rows.ts'
import { unsealedColumns } from './sealed-statement.ts'

/** Rows, and bytes of values, between two looks whether a pause is due. */
const rowsPerLook = 256
const bytesPerLook = 65_536

/** The rows of a statement, begun again, with the keys as text or as bytes. */
export interface Rows {
  begin(form: 'text'): IterableIterator<KeyedColumns<string>>
  begin(form: 'bytes'): IterableIterator<KeyedColumns<Uint8Array>>
}

/** The rows of one statement, read in slices with pauses between them. See KeyedRows for its two forms. */
export class RowSlices {
  readonly rows: KeyedRow[] = []
  /** The milliseconds that reading them has taken. */
  took = 0
  readonly #source: Rows
  readonly #checksums: boolean
  readonly #toRow: ToRow
  #withText: Iterator<KeyedColumns<string>> | null
  #withBytes: Iterator<KeyedColumns<Uint8Array>> | null = null

  /** `checksums`: the values have them. */
  constructor(source: Rows, checksums: boolean, toRow: ToRow = toKeyedRow) {
    this.#toRow = toRow
    this.#source = source
    this.#checksums = checksums
    this.#withText = source.begin('text')
  }

  /** Reads until a pause is due; whether all are read. */
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

  /** Ends the reading, also where it is not at its end. */
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
    // The text of this key does not tell its bytes: the rest is read with them, from the row at which this one stands.
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
