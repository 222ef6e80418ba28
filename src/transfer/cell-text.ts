import { Buffer } from 'node:buffer'
import { type ColumnValue, MalformedText } from '../driver/sqlite/file/foreign-file.ts'

export type ReadableCell = Exclude<ColumnValue, MalformedText>

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const mostBytesShown = 100

/** The text of a cell. Throws a TypeError if it is not Unicode. */
export function cellText(cell: ColumnValue): string {
  assertUnicode(cell, 'it')
  return String(cell)
}

/** Throws a TypeError if a cell is a text that is not Unicode. `name`: what to call it. */
export function assertUnicode(cell: ColumnValue, name: string): asserts cell is ReadableCell {
  if (cell instanceof MalformedText) throw notUnicode(cell.bytes, name)
}

/** The text that these bytes are as UTF-8. Throws a TypeError if they are not. */
export function utf8Text(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw notUnicode(bytes, 'it')
  }
}

/** A cell of a key that may not be readable, to show it. */
export function shownCell(cell: ColumnValue): string {
  if (cell instanceof MalformedText) return hex(cell.bytes)
  return cell instanceof Uint8Array ? hex(cell) : String(cell)
}

function notUnicode(bytes: Uint8Array, name: string): TypeError {
  const more = bytes.length > mostBytesShown ? '…' : ''
  return new TypeError(
    `${name} is text that is not Unicode: ${hex(bytes.subarray(0, mostBytesShown))}${more}`,
  )
}

function hex(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).toString('hex')}`
}
