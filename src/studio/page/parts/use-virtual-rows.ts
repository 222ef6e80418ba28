import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  type VirtualItem,
  Virtualizer,
} from '@tanstack/virtual-core'
import type { RefObject } from 'preact'
import { useCallback, useEffect, useLayoutEffect, useReducer, useRef } from 'preact/hooks'

/** No browser makes an element much higher than 33 million pixels. */
const mostPixels = 32_000_000

/** The rows of a long list that are in sight, of one height each. */
export function useVirtualRows(place: RefObject<HTMLElement | null>, count: number, height: number) {
  const [, draw] = useReducer((n: number, _: undefined) => n + 1, 0)
  const estimateSize = useCallback(() => height, [height])
  const kept = useRef<Virtualizer<HTMLElement, Element> | undefined>(undefined)
  const options = {
    count: Math.min(count, Math.floor(mostPixels / height)),
    getScrollElement: () => place.current,
    estimateSize,
    overscan: 12,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    onChange: () => draw(undefined),
  }
  kept.current ??= new Virtualizer<HTMLElement, Element>(options)
  const virtualizer = kept.current
  virtualizer.setOptions(options)
  useLayoutEffect(() => virtualizer._didMount(), [])
  useLayoutEffect(() => virtualizer._willUpdate())
  // A list of another length begins with sizes of its own.
  useEffect(() => virtualizer.measure(), [count])
  return {
    items: virtualizer.getVirtualItems() as readonly VirtualItem[],
    height: virtualizer.getTotalSize(),
    scrollTo: (index: number) => virtualizer.scrollToIndex(index, { align: 'auto' }),
  }
}
