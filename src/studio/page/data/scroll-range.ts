/** No browser draws a higher element, at any zoom: Chromium's limit is 33.5 million device pixels, Firefox's 17.9 million. */
const highest = 6_000_000
/** Within this distance of its ends, the scroll bar moves a list pixel by pixel. */
const exact = 1_500_000

/**
 * The height of a list, and of the element with a scroll bar that stands for it. If the list is higher than an element can be, both
 * ends still match, and everything between is scaled.
 */
export class ScrollRange {
  readonly #list: number
  /** The height of the element, in pixels. */
  readonly height: number

  constructor(list: number) {
    this.#list = list
    this.height = Math.min(list, highest)
  }

  /** The position of the list when the element is scrolled this far. */
  offsetOf(place: number): number {
    return spread(place, this.height, this.#list)
  }

  /** The position of the element when the list is scrolled this far. */
  placeOf(offset: number): number {
    return spread(offset, this.#list, this.height)
  }
}

function spread(at: number, from: number, to: number): number {
  if (from === to || at <= exact) return at
  if (at >= from - exact) return at + to - from
  return exact + ((at - exact) * (to - 2 * exact)) / (from - 2 * exact)
}
