import type { Key } from '../../../contract/key.types.ts'
import { decodeKey } from '../../../key/codec.ts'
import { decodeKeyText } from '../../../key/decode-text.ts'
import type { KeyedRow } from '../../driver.ts'
import { unsealedColumns } from './sealed-statement.ts'
import { textOfStored } from './stored-text.ts'

type Value = string | Uint8Array

/** The columns of a row: value, encoding, types, version, expires_at, key; a statement may select more after them. */
export type KeyedColumns<K> = readonly [Value, number, string | null, number, number | null, K, ...number[]]

const pagesUntilTextAgain = 16

/**
 * Reads the rows of a statement in one of two forms, with keys as text or as bytes. The engine's binding makes a text in a third of
 * the time that a byte array takes, and most keys can be read from their text. If one cannot, this page and the next ones are read
 * with bytes.
 */
export class KeyedRows {
  readonly #checksums: boolean
  readonly #toRow: ToRow
  #pagesWithBytes = 0

  /** `checksums`: whether values have them. */
  constructor(checksums: boolean, toRow: ToRow = toKeyedRow) {
    this.#checksums = checksums
    this.#toRow = toRow
  }

  read(
    withText: () => readonly KeyedColumns<string>[],
    withBytes: () => readonly KeyedColumns<Uint8Array>[],
  ): KeyedRow[] {
    if (this.#pagesWithBytes === 0) {
      const rows = rowsOfText(this.#sound(withText()), this.#toRow)
      if (rows !== null) return rows
      this.#pagesWithBytes = pagesUntilTextAgain
    }
    this.#pagesWithBytes -= 1
    return this.#sound(withBytes()).map((columns) => this.#toRow(columns, decodeKey(columns[5])))
  }

  #sound<K>(page: readonly KeyedColumns<K>[]): readonly KeyedColumns<K>[] {
    return this.#checksums ? page.map(unsealedColumns) : page
  }
}

/** `null` if a key cannot be read from its text. */
function rowsOfText(page: readonly KeyedColumns<string>[], toRow: ToRow): KeyedRow[] | null {
  const rows: KeyedRow[] = []
  for (const columns of page) {
    const text = columns[5] as string | null
    // In a damaged file, an index entry may lead to no row.
    const key = text === null ? null : decodeKeyText(text)
    if (key === null) return null
    rows.push(toRow(columns, key))
  }
  return rows
}

/** Makes a row from its columns. */
export type ToRow = (columns: KeyedColumns<unknown>, key: Key) => KeyedRow

/**
 * A row with what a search says about it, in further columns: the rank, if the query orders by it, then the texts with their hits.
 */
export function toHitRow(columns: KeyedColumns<unknown>, key: Key, orders: boolean): KeyedRow {
  const told = columns.slice(6) as unknown as (number | Uint8Array | null)[]
  const rank = orders ? (told.shift() as number) : null
  const texts = (told as (Uint8Array | null)[]).map((text) => text && textOfStored(text))
  return { ...toKeyedRow(columns, key), hit: { rank, texts } }
}

export function toKeyedRow(columns: KeyedColumns<unknown>, key: Key): KeyedRow {
  return {
    key,
    value: columns[0],
    encoding: columns[1],
    types: columns[2],
    version: columns[3],
    expiresAt: columns[4],
  }
}
