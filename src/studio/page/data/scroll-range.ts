/** No browser makes an element higher, at any zoom: Chromium ends at 33.5 million device pixels, Firefox at 17.9 million. */
const highest = 6_000_000
/** So near to its ends, the scroll bar moves a list pixel by pixel. */
const exact = 1_500_000

/**
 * The heights of a list and of the element that stands for it, which has a scroll bar. Where no element can be as high as the list, the
 * ends of both agree, and what is between them is spread.
 */
export class ScrollRange {
  readonly #list: number
  /** The height of the element, in pixels. */
  readonly height: number

  constructor(list: number) {
    this.#list = list
    this.height = Math.min(list, highest)
  }

  /** How far the list is scrolled where the element is scrolled so far. */
  offsetOf(place: number): number {
    return spread(place, this.height, this.#list)
  }

  /** How far the element is scrolled where the list is scrolled so far. */
  placeOf(offset: number): number {
    return spread(offset, this.#list, this.height)
  }
}

function spread(at: number, from: number, to: number): number {
  if (from === to || at <= exact) return at
  if (at >= from - exact) return at + to - from
  return exact + ((at - exact) * (to - 2 * exact)) / (from - 2 * exact)
}
