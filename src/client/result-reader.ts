import { freeze } from '../value/freeze.ts'
import { parseJson } from '../value/parse-json.ts'
import { readTypedJson } from '../value/read-typed.ts'
import type { ValueFormat } from '../value/value-format.ts'
import { applyDelta, type Run } from '../wire/delta.ts'
import type { StreamEvent } from '../wire/event.ts'
import type { WireRow } from '../wire/row.ts'
import { LiveError } from './live-error.ts'

interface ReadRow {
  readonly tag: string
  readonly item: unknown
}

/** Builds results from the events of a stream. An unchanged row stays the same object as in the previous result. */
export class ResultReader {
  readonly #format: ValueFormat
  #rows: readonly ReadRow[] = []
  #isList = false
  #result: unknown

  constructor(format: ValueFormat) {
    this.#format = format
  }

  /**
   * The result after an event, or the same object if nothing has changed. Throws a RangeError if the event does not fit the
   * previous result.
   */
  read({ name, data }: StreamEvent): unknown {
    if (name === 'result') {
      const { rows, row } = parseJson(data) as { readonly rows?: readonly WireRow[]; readonly row?: WireRow }
      const known = new Map(this.#rows.map((read) => [read.tag, read]))
      const read = (one: WireRow) => known.get(one[0]) ?? this.#read(one)
      this.#show((rows ?? [row!]).map(read), rows !== undefined)
    } else if (name === 'delta') {
      const steps = parseJson(data) as readonly (Run | WireRow)[]
      this.#show(
        applyDelta(this.#rows, steps, isRun, (row) => this.#read(row)),
        true,
      )
    }
    return this.#result
  }

  #show(rows: readonly ReadRow[], isList: boolean): void {
    const before = this.#rows
    const isSame =
      this.#result !== undefined &&
      this.#isList === isList &&
      rows.length === before.length &&
      rows.every((row, i) => row === before[i])
    this.#rows = rows
    this.#isList = isList
    if (!isSame) this.#result = isList ? Object.freeze(rows.map(({ item }) => item)) : rows[0]!.item
  }

  #read(row: WireRow): ReadRow {
    return { tag: row[0], item: readRow(row, this.#format) }
  }
}

function isRun(step: Run | WireRow): step is Run {
  return typeof step[0] === 'number'
}

/** A row as it was sent, frozen. Throws a LiveError if it cannot be read. */
export function readRow([, json, types]: WireRow, format: ValueFormat): unknown {
  try {
    return freeze(types === undefined ? json : readTypedJson(json, types, format))
  } catch (error) {
    throw unreadable(error as Error)
  }
}

export function unreadable(cause: Error): LiveError {
  return new LiveError('VALUE', `A value that the server has sent cannot be read: ${cause.message}`, {
    cause,
  })
}
