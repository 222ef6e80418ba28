import { clock } from '../../../time/clock.ts'
import { isWorkLong } from '../../../time/give-way.ts'
import { rowsPerLook, type Slices } from './row-slices.ts'

/** Milliseconds: later parts are for twice as many until one takes this long, and for half as many after one that took longer. */
const shortPart = 1
const longPart = 2

/** For how many of the things that are asked for the next part is. It may be kept, so that a later read begins with what fits. */
export interface PartSize {
  of: number
  /** A part that is for no more than so many is not made smaller, however long it takes. */
  readonly least: number
}

/** Rows that are read part by part, because each statement is for some of many things, such as keys. */
export class PartSlices<Asked, Row> implements Slices<Row> {
  readonly rows: Row[] = []
  readonly #asked: readonly Asked[]
  readonly #readPart: (part: readonly Asked[], first: number) => readonly Row[] | Iterator<Row>
  readonly #size: PartSize
  #next = 0
  /** The rest of a part, for how many things it is, and how many milliseconds it has taken so far. */
  #part: readonly Row[] | Iterator<Row> | null = null
  #length = 0
  #took = 0

  /** `readPart`: the rows for some of what is asked for, all at once or one by one; `first` is the place of the first of them. */
  constructor(
    asked: readonly Asked[],
    readPart: (part: readonly Asked[], first: number) => readonly Row[] | Iterator<Row>,
    size: PartSize,
  ) {
    this.#asked = asked
    this.#readPart = readPart
    this.#size = size
  }

  read(): boolean {
    for (;;) {
      const began = clock()
      this.#part ??= this.#begin()
      const isRead = this.#readOn(this.#part)
      this.#took += clock() - began
      if (!isRead) return false
      this.#part = null
      const isAll = this.#next >= this.#asked.length
      if (this.#took > longPart) this.#size.of = Math.max(this.#size.least, this.#length >> 1)
      else if (this.#took < shortPart && !isAll) this.#size.of *= 2
      if (isAll) return true
      if (isWorkLong()) return false
    }
  }

  stop(): void {
    this.#next = this.#asked.length
    if (this.#part !== null && !isList(this.#part)) this.#part.return?.()
  }

  #begin(): readonly Row[] | Iterator<Row> {
    const first = this.#next
    const part = this.#asked.slice(first, first + this.#size.of)
    this.#next += part.length
    this.#length = part.length
    this.#took = 0
    return this.#readPart(part, first)
  }

  /** Reads rows of a part until a pause is due; returns whether all of them are read. */
  #readOn(part: readonly Row[] | Iterator<Row>): boolean {
    if (isList(part)) {
      for (const row of part) this.rows.push(row)
      return true
    }
    for (let rows = 1; ; rows++) {
      const next = part.next()
      if (next.done) return true
      this.rows.push(next.value)
      if (rows % rowsPerLook === 0 && isWorkLong()) return false
    }
  }
}

function isList<Row>(part: readonly Row[] | Iterator<Row>): part is readonly Row[] {
  return Array.isArray(part)
}
