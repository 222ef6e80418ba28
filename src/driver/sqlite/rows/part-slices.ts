import { clock } from '../../../time/clock.ts'
import { isWorkLong } from '../../../time/give-way.ts'
import type { Slices } from './row-slices.ts'

/** For how many of the things that are asked for the first part is. */
const firstPart = 256
/** Milliseconds: later parts are for twice as many until one takes this long, and for half as many after one that took longer. */
const shortPart = 1
const longPart = 2

/** Rows that are read part by part, because each statement is for some of many things, such as keys. */
export class PartSlices<Asked, Row> implements Slices<Row> {
  readonly rows: Row[] = []
  readonly #asked: readonly Asked[]
  readonly #readPart: (part: readonly Asked[], first: number) => readonly Row[]
  #next = 0
  #length = firstPart

  /** `readPart`: the rows for some of what is asked for; `first` is the place of the first of them. */
  constructor(asked: readonly Asked[], readPart: (part: readonly Asked[], first: number) => readonly Row[]) {
    this.#asked = asked
    this.#readPart = readPart
  }

  read(): boolean {
    for (;;) {
      const began = clock()
      const first = this.#next
      this.#next += this.#length
      for (const row of this.#readPart(this.#asked.slice(first, this.#next), first)) this.rows.push(row)
      if (this.#next >= this.#asked.length) return true
      const took = clock() - began
      if (took < shortPart) this.#length *= 2
      else if (took > longPart) this.#length = Math.max(1, this.#length >> 1)
      if (isWorkLong()) return false
    }
  }

  stop(): void {
    this.#next = this.#asked.length
  }
}
