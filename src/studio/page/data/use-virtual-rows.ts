import type { RefObject } from 'preact'
import { useLayoutEffect, useMemo, useReducer, useRef } from 'preact/hooks'
import { ScrollRange } from './scroll-range.ts'

/** Rows beyond those in sight, so that the next ones are there before they come into it. */
const beyond = 12
/** A move of so many times what is in sight is one of the scroll bar, and leads to another place of the list. */
const far = 4

/** Where a list is: `offset` of all its pixels, and `place` of those that its element has. */
interface Seen {
  readonly offset: number
  readonly place: number
}

/** The rows of a long list that are in sight, of one height each, below a head that stays. */
export function useVirtualRows(
  element: RefObject<HTMLElement | null>,
  count: number,
  rowHeight: number,
  headHeight: number,
) {
  const [, draw] = useReducer((n: number, _: undefined) => n + 1, 0)
  const range = useMemo(() => new ScrollRange(count * rowHeight), [count, rowHeight])
  const seen = useRef<Seen>({ offset: 0, place: 0 })
  const view = Math.max(0, (element.current?.clientHeight ?? 0) - headHeight)
  const latest = useRef({ range, view })
  latest.current = { range, view }

  /** Shows the list from an offset on, and the scroll bar where it belongs then. */
  const scrollTo = (offset: number) => {
    const { current } = element
    if (current === null) return
    const { range, view } = latest.current
    const inside = Math.max(0, Math.min(offset, count * rowHeight - view))
    current.scrollTop = range.placeOf(inside)
    seen.current = { offset: inside, place: current.scrollTop }
    draw(undefined)
  }

  useLayoutEffect(() => {
    const place = element.current!
    const onScrollEnd = () => {
      const { offset, place: told } = seen.current
      // The end of an earlier move: the one after it has its own.
      if (place.scrollTop !== told) return
      const wanted = latest.current.range.placeOf(offset)
      if (Math.abs(wanted - place.scrollTop) < 1) return
      place.scrollTop = wanted
      seen.current = { offset, place: place.scrollTop }
      draw(undefined)
    }
    const onScroll = () => {
      const { scrollTop } = place
      const { range, view } = latest.current
      const moved = scrollTop - seen.current.place
      if (moved === 0) return
      const isNear = Math.abs(moved) < far * view
      const offset = isNear ? seen.current.offset + moved : range.offsetOf(scrollTop)
      seen.current = { offset: Math.max(0, offset), place: scrollTop }
      draw(undefined)
    }
    place.addEventListener('scroll', onScroll, { passive: true })
    // Moved sooner, the element would end a smooth scroll.
    place.addEventListener('scrollend', onScrollEnd)
    const observer = new ResizeObserver(() => draw(undefined))
    observer.observe(place)
    return () => {
      place.removeEventListener('scroll', onScroll)
      place.removeEventListener('scrollend', onScrollEnd)
      observer.disconnect()
    }
  }, [])
  // A list that has grown or shrunk stays where it is.
  useLayoutEffect(() => scrollTo(seen.current.offset), [range])

  const { offset, place } = seen.current
  const first = Math.max(0, Math.floor(offset / rowHeight) - beyond)
  const last = Math.min(count - 1, Math.ceil((offset + view) / rowHeight) + beyond)
  return {
    /** The first and the last row that are drawn; of no rows, the last is before the first. */
    first,
    last,
    /** The height of the element that holds the rows. */
    height: range.height,
    /** The row at the upper end of what is in sight. */
    upper: Math.ceil(offset / rowHeight),
    /** Where a row stands in the element that holds the rows. */
    topOf: (index: number) => index * rowHeight - offset + place,
    /** Brings a row into sight, as far as it is not. */
    reveal(index: number) {
      const top = index * rowHeight
      if (top < seen.current.offset) scrollTo(top)
      else if (top + rowHeight > seen.current.offset + view) scrollTo(top + rowHeight - view)
    },
    /** Moves what is in sight by so many rows. */
    shift: (rows: number) => scrollTo(seen.current.offset + rows * rowHeight),
  }
}
