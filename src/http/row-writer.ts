import { hash } from 'node:crypto'
import { KeyedEntry } from '../value/keyed-entry.ts'
import { isPlainJson } from '../value/plain-json.ts'
import type { ValueFormat } from '../value/value-format.ts'
import { writeTyped } from '../value/write-typed.ts'

/** A row as text, with a tag that identifies it. */
export interface WrittenRow {
  readonly tag: string
  readonly text: string
}

/** Characters of a tag: 96 bits, for which nobody finds two texts with the same tag. */
const tagLength = 16

/** Two texts have the same tag only if they are equal. */
export function tagOf(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, tagLength)
}

/** Writes rows as they are sent. Readers share frozen rows, so each of those is written once for all of them. */
export class RowWriter {
  readonly #format: ValueFormat
  readonly #written = new WeakMap<object, WrittenRow>()

  constructor(format: ValueFormat) {
    this.#format = format
  }

  /** Throws a TypeError that names the path if something cannot be sent. */
  write(row: unknown): WrittenRow {
    if (typeof row !== 'object' || row === null || !Object.isFrozen(row)) return this.#write(row)
    let written = this.#written.get(row)
    if (written === undefined) {
      written = this.#write(row)
      this.#written.set(row, written)
    }
    return written
  }

  #write(row: unknown): WrittenRow {
    const parts = this.#parts(shown(row))
    const tag = tagOf(parts)
    return { tag, text: `["${tag}",${parts}]` }
  }

  #parts(row: unknown): string {
    if (isPlainJson(row)) return JSON.stringify(row)
    const { value, types } = writeTyped(row, this.#format)
    return types === null ? String(value) : `${value},${JSON.stringify(types)}`
  }
}

/** The expiry of an entry read by key is not enumerable. */
function shown(row: unknown): unknown {
  return row instanceof KeyedEntry ? { ...row, expiresAt: row.expiresAt } : row
}
