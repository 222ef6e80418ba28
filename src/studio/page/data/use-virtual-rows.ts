import type { RefObject } from 'preact'
import { useLayoutEffect, useMemo, useReducer, useRef } from 'preact/hooks'
import { ScrollRange } from './scroll-range.ts'

/** How many rows to draw outside the view, so that the next ones are there before they scroll into it. */
const beyond = 12
/** A move of this many times the height of the view comes from the scroll bar, and jumps to another place of the list. */
const far = 4

/** The position of a list: `offset` in the list, and `place` in its element. */
interface Seen {
  readonly offset: number
  readonly place: number
}

/** The visible rows of a long list. All have one height, and are below a sticky head. */
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

  /** Shows the list from an offset on, and moves the scroll bar to match. */
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
      // This is the end of an earlier move; the next one has its own.
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
    // Moving the element earlier would end a smooth scroll.
    place.addEventListener('scrollend', onScrollEnd)
    const observer = new ResizeObserver(() => draw(undefined))
    observer.observe(place)
    return () => {
      place.removeEventListener('scroll', onScroll)
      place.removeEventListener('scrollend', onScrollEnd)
      observer.disconnect()
    }
  }, [])
  // A list that grows or shrinks keeps its position.
  useLayoutEffect(() => scrollTo(seen.current.offset), [range])

  const { offset, place } = seen.current
  const first = Math.max(0, Math.floor(offset / rowHeight) - beyond)
  const last = Math.min(count - 1, Math.ceil((offset + view) / rowHeight) + beyond)
  return {
    /** The first and the last row to draw; without rows, the last is before the first. */
    first,
    last,
    /** The height of the element that holds the rows. */
    height: range.height,
    /** The row at the top of the view. */
    upper: Math.ceil(offset / rowHeight),
    /** The top of a row in the element that contains the rows. */
    topOf: (index: number) => index * rowHeight - offset + place,
    /** Scrolls a row into view, if it is not. */
    reveal(index: number) {
      const top = index * rowHeight
      if (top < seen.current.offset) scrollTo(top)
      else if (top + rowHeight > seen.current.offset + view) scrollTo(top + rowHeight - view)
    },
    /** Scrolls by this many rows. */
    shift: (rows: number) => scrollTo(seen.current.offset + rows * rowHeight),
  }
}
